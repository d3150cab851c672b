package app

import (
	"fmt"
	"time"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// SendConfig bounds sends.
type SendConfig struct {
	// Lease is the longest that one send may take, for example `60s`; empty is 60s.
	Lease time.Duration `yaml:"lease"`
	// Emails and Pushes are the sends at once by email and by gRPC; 0 is 8 and 64. There are no more emails than mail
	// connections.
	Emails int `yaml:"emails"`
	Pushes int `yaml:"pushes"`
	// Urgent are the sends at once of these that are kept for urgent notices, High those kept for urgent and high ones; 0
	// is an eighth of each.
	Urgent KeptConfig `yaml:"urgent"`
	High   KeptConfig `yaml:"high"`
	// Endpoint bounds what goes to one receiver, and to one mail domain.
	Endpoint EndpointConfig `yaml:"endpoint"`
}

// KeptConfig is sends at once by channel.
type KeptConfig struct {
	Emails int `yaml:"emails"`
	Pushes int `yaml:"pushes"`
}

// EndpointConfig bounds the sends to one mail domain or one receiver.
type EndpointConfig struct {
	// Emails and Pushes are the sends at once; 0 is half of all.
	Emails int `yaml:"emails"`
	Pushes int `yaml:"pushes"`
	// EmailsPerSecond and PushesPerSecond are a rate; 0 is no bound.
	EmailsPerSecond float64 `yaml:"emails_per_second"`
	PushesPerSecond float64 `yaml:"pushes_per_second"`
	// Failures in a row, after which an endpoint is left alone; 0 is 5.
	Failures int `yaml:"failures"`
	// Rest is how long it is left alone before it is tried again with one send; 0 is 30s.
	Rest time.Duration `yaml:"rest"`
}

// mostConnections is the most that the mail sender takes.
const mostConnections = 256

// withDefaults sets what is left open. Connections are those of the mail relay, 0 where they are left open.
func (c SendConfig) withDefaults(connections int) SendConfig {
	or := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	if c.Lease == 0 {
		c.Lease = time.Minute
	}
	or(&c.Emails, 8)
	or(&c.Pushes, 64)
	if connections <= 0 || connections > mostConnections {
		connections = mostConnections
	}
	c.Emails = min(c.Emails, connections) // beyond that an urgent one would wait for a connection
	for _, kept := range []*KeptConfig{&c.Urgent, &c.High} {
		or(&kept.Emails, eighth(c.Emails))
		or(&kept.Pushes, eighth(c.Pushes))
	}
	or(&c.Endpoint.Emails, max(1, c.Emails/2))
	or(&c.Endpoint.Pushes, max(1, c.Pushes/2))
	or(&c.Endpoint.Failures, 5)
	if c.Endpoint.Rest == 0 {
		c.Endpoint.Rest = 30 * time.Second
	}
	return c
}

// eighth is an eighth of n and at least one, but nothing where n is too small to keep anything back.
func eighth(n int) int {
	if n < 3 {
		return 0
	}
	return max(1, n/8)
}

// connections is how many the mail sender may open. Those beyond the emails at once are for sends that take long: their
// place has gone to another.
func (c SendConfig) connections(asked int) int {
	if asked == 0 {
		asked = 2 * c.Emails
	}
	return min(asked, mostConnections)
}

// limits are the settings as the engine takes them, by channel.
func (c SendConfig) limits(connections int) map[string]engine.Limits {
	return map[string]engine.Limits{
		delivery.Email: {
			Slots: c.Emails, Urgent: c.Urgent.Emails, High: c.High.Emails, Slow: c.connections(connections) - c.Emails,
			AtOnce: c.Endpoint.Emails, Rate: c.Endpoint.EmailsPerSecond, Failures: c.Endpoint.Failures, Rest: c.Endpoint.Rest,
		},
		delivery.GRPC: {
			Slots: c.Pushes, Urgent: c.Urgent.Pushes, High: c.High.Pushes, Slow: 4 * c.Pushes,
			AtOnce: c.Endpoint.Pushes, Rate: c.Endpoint.PushesPerSecond, Failures: c.Endpoint.Failures, Rest: c.Endpoint.Rest,
		},
	}
}

// faults checks the settings once the defaults are in.
func (c SendConfig) faults() []notice.FieldFault {
	var faults []notice.FieldFault
	fault := func(field, format string, args ...any) {
		faults = append(faults, notice.FieldFault{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if c.Lease < time.Second {
		fault("send.lease", "must be a second or more")
	}
	if c.Endpoint.Rest < time.Second {
		fault("send.endpoint.rest", "must be a second or more")
	}
	if c.Endpoint.Failures < 1 {
		fault("send.endpoint.failures", "must be 1 or more")
	}
	for _, channel := range []struct {
		name                        string
		all, urgent, high, endpoint int
		rate                        float64
	}{
		{"emails", c.Emails, c.Urgent.Emails, c.High.Emails, c.Endpoint.Emails, c.Endpoint.EmailsPerSecond},
		{"pushes", c.Pushes, c.Urgent.Pushes, c.High.Pushes, c.Endpoint.Pushes, c.Endpoint.PushesPerSecond},
	} {
		if channel.all < 1 {
			fault("send."+channel.name, "must be 1 or more")
			continue
		}
		if channel.urgent < 0 || channel.high < 0 || channel.urgent+channel.high >= channel.all {
			fault("send.urgent."+channel.name, "with send.high.%s it must leave at least one of the %d sends at once to routine notices",
				channel.name, channel.all)
		}
		if channel.endpoint < 1 {
			fault("send.endpoint."+channel.name, "must be 1 or more")
		}
		if !(channel.rate >= 0) || channel.rate > 1e6 { // not a number is no rate either
			fault("send.endpoint."+channel.name+"_per_second", "must be above zero and at most a million; leave it out for no bound")
		}
	}
	return faults
}
