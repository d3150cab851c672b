package app

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// AlarmConfig is when the guards raise an alarm.
type AlarmConfig struct {
	// Every is how often they look; empty is 5s.
	Every time.Duration `yaml:"every"`
	// Urgent, High and Routine are how long a notice of that lane may wait to be sent; empty is 1m, 5m and 30m.
	Urgent  time.Duration `yaml:"urgent"`
	High    time.Duration `yaml:"high"`
	Routine time.Duration `yaml:"routine"`
	// Undecided is how long an event may wait to be taken in, and then for its decision; empty is 2m.
	Undecided time.Duration `yaml:"undecided"`
	// NoLeader is how long there may be no sign of a leader; empty is 15s.
	NoLeader time.Duration `yaml:"no_leader"`
	// Silence is how long an agency that publishes may be silent; empty is 96h.
	Silence time.Duration `yaml:"silence"`
	// Agencies have silences of their own, by id.
	Agencies map[string]SilenceConfig `yaml:"agencies"`
	// Refused is how many events of one agency may be refused within an hour; 0 is 20.
	Refused int64 `yaml:"refused"`
}

// SilenceConfig is how long one agency may be silent.
type SilenceConfig struct {
	// After is how long; empty is as for all.
	After time.Duration `yaml:"after"`
	// OfficeHours has only 9:00 to 17:00 of working days count.
	OfficeHours bool `yaml:"office_hours"`
	// Never is an agency that may be silent for ever.
	Never bool `yaml:"never"`
}

// ClockConfig is when the machine's clock is distrusted.
type ClockConfig struct {
	// Tolerance is how far it may be behind the ledger, be set, or be away from an external NATS server's; empty is 1m.
	Tolerance time.Duration `yaml:"tolerance"`
}

// HeartbeatConfig is whom to tell that all is well: who hears nothing knows that it is not.
type HeartbeatConfig struct {
	// URL takes an HTTPS POST; URLFile is the file that has it, where the address itself is a secret.
	URL     string `yaml:"url"`
	URLFile string `yaml:"url_file"`
	// TokenFile has the bearer token, where one is asked for.
	TokenFile string `yaml:"token_file"`
	// Roots is the file with the watcher's authorities, PEM; empty is the machine's own.
	Roots string `yaml:"roots"`
	// Every is how often; empty is 1m.
	Every time.Duration `yaml:"every"`
}

// MetricsConfig is the listener for Prometheus and for probes: plain HTTP, without personal data.
type MetricsConfig struct {
	// Listen is host:port; empty is no listener.
	Listen string `yaml:"listen"`
}

const defaultReserve = 256 << 20

// guarded sets what is left open about the guards.
func (c Config) guarded() Config {
	or := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	or(&c.Alarms.Every, 5*time.Second)
	or(&c.Alarms.Urgent, time.Minute)
	or(&c.Alarms.High, 5*time.Minute)
	or(&c.Alarms.Routine, 30*time.Minute)
	or(&c.Alarms.Undecided, 2*time.Minute)
	or(&c.Alarms.NoLeader, 15*time.Second)
	or(&c.Alarms.Silence, 96*time.Hour)
	if c.Alarms.Refused == 0 {
		c.Alarms.Refused = 20
	}
	or(&c.Clock.Tolerance, time.Minute)
	or(&c.Heartbeat.Every, time.Minute)
	if c.NATS.ReserveBytes == 0 {
		c.NATS.ReserveBytes = defaultReserve
	}
	return c
}

// alarmSettings are the limits as the alarms take them.
func (c Config) alarmSettings() alarm.Settings {
	a := c.Alarms
	s := alarm.Settings{
		Undispatched: map[string]time.Duration{laneUrgent: a.Urgent, laneHigh: a.High, laneRoutine: a.Routine},
		Undecided:    a.Undecided, NotTaken: a.Undecided, Leaderless: a.NoLeader, Unanswered: a.NoLeader,
		Silence: a.Silence, Silences: map[string]time.Duration{}, Refused: a.Refused,
		Heartbeat: 3 * c.Heartbeat.Every, Room: c.NATS.ReserveBytes,
	}
	for agency, own := range a.Agencies {
		switch {
		case own.Never:
			s.Silences[agency] = -1
		case own.After > 0:
			s.Silences[agency] = own.After
		}
	}
	return s
}

// guardFaults checks the settings of the guards once the defaults are in.
func (c Config) guardFaults() []notice.FieldFault {
	var faults []notice.FieldFault
	fault := func(field, message string) {
		faults = append(faults, notice.FieldFault{Field: field, Message: message})
	}
	for _, span := range []struct {
		field string
		is    time.Duration
		least time.Duration
	}{
		{"alarms.every", c.Alarms.Every, time.Second}, {"alarms.urgent", c.Alarms.Urgent, time.Second},
		{"alarms.high", c.Alarms.High, time.Second}, {"alarms.routine", c.Alarms.Routine, time.Second},
		{"alarms.undecided", c.Alarms.Undecided, time.Second}, {"alarms.silence", c.Alarms.Silence, time.Minute},
		{"clock.tolerance", c.Clock.Tolerance, 5 * time.Second}, {"heartbeat.every", c.Heartbeat.Every, 5 * time.Second},
		{"alarms.no_leader", c.Alarms.NoLeader, 10 * time.Second}, // a takeover takes up to that
	} {
		if span.is < span.least {
			fault(span.field, "must be "+span.least.String()+" or more")
		}
	}
	for _, agency := range slices.Sorted(maps.Keys(c.Alarms.Agencies)) {
		own := c.Alarms.Agencies[agency]
		field := "alarms.agencies." + agency
		if _, err := notice.ParseAgencyID(agency); err != nil {
			fault(field, "is not an agency's id: see `signalbox agency list`")
		}
		switch {
		case own.Never && (own.After != 0 || own.OfficeHours):
			fault(field, "an agency that may be silent for ever has no other setting")
		case own.After != 0 && own.After < time.Minute:
			fault(field+".after", "must be 1m0s or more")
		}
	}
	if c.Alarms.Refused < 0 {
		fault("alarms.refused", "must be 1 or more")
	}
	if c.NATS.StoreBytes < 0 {
		fault("nats.store_bytes", "must not be negative")
	}
	if c.NATS.ReserveBytes < 0 {
		fault("nats.reserve_bytes", "must not be negative")
	}
	if c.NATS.StoreBytes > 0 && c.NATS.ReserveBytes >= c.NATS.StoreBytes {
		fault("nats.reserve_bytes", "must be less than nats.store_bytes")
	}
	if c.Heartbeat.URL != "" && c.Heartbeat.URLFile != "" {
		fault("heartbeat.url", "give url or url_file")
	}
	if u, err := url.Parse(c.Heartbeat.URL); c.Heartbeat.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		fault("heartbeat.url", "must be an https address, for example https://watch.example/signalbox")
	}
	if c.Metrics.Listen != "" {
		if _, port, err := net.SplitHostPort(c.Metrics.Listen); err != nil || port == "" {
			fault("metrics.listen", "must be host:port, for example 127.0.0.1:9464")
		}
	}
	return faults
}
