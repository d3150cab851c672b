package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const plainConfig = "data: /var/lib/signalbox\nmail: {host: relay.example, from: notices@signalbox.example}\n"

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signalbox.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadConfig(path)
}

func TestWhatAConfigurationLeavesOpenAboutSendingHasDefaults(t *testing.T) {
	pushes := engine.Limits{Slots: 64, Urgent: 8, High: 8, Slow: 256, AtOnce: 32, Failures: 5, Rest: 30 * time.Second}
	for name, c := range map[string]struct {
		text   string
		emails engine.Limits
		pushes engine.Limits
	}{
		"nothing said": {
			plainConfig, engine.Limits{Slots: 8, Urgent: 1, High: 1, Slow: 8, AtOnce: 4, Failures: 5, Rest: 30 * time.Second}, pushes,
		},
		"no more emails at once than connections": {
			"data: /d\nmail: {host: relay.example, from: a@signalbox.example, connections: 4}\nsend: {emails: 16}\n",
			engine.Limits{Slots: 4, Urgent: 1, High: 1, AtOnce: 2, Failures: 5, Rest: 30 * time.Second}, pushes,
		},
		"too few to keep any back": {
			plainConfig + "send: {emails: 1, pushes: 2}\n",
			engine.Limits{Slots: 1, Slow: 1, AtOnce: 1, Failures: 5, Rest: 30 * time.Second},
			engine.Limits{Slots: 2, Slow: 8, AtOnce: 1, Failures: 5, Rest: 30 * time.Second},
		},
		"all said": {
			plainConfig + `send:
  emails: 20
  pushes: 10
  urgent: {emails: 5, pushes: 3}
  high: {emails: 4, pushes: 2}
  endpoint: {emails: 2, pushes: 6, emails_per_second: 0.5, pushes_per_second: 100, failures: 3, rest: 2m}
`,
			engine.Limits{Slots: 20, Urgent: 5, High: 4, Slow: 20, AtOnce: 2, Rate: 0.5, Failures: 3, Rest: 2 * time.Minute},
			engine.Limits{Slots: 10, Urgent: 3, High: 2, Slow: 40, AtOnce: 6, Rate: 100, Failures: 3, Rest: 2 * time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := load(t, c.text)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]engine.Limits{delivery.Email: c.emails, delivery.GRPC: c.pushes}
			if diff := cmp.Diff(want, config.Send.limits(config.Mail.Connections)); diff != "" {
				t.Fatal(diff)
			}
			for channel, l := range want {
				if err := l.Check(); err != nil {
					t.Errorf("%s: %v", channel, err)
				}
			}
		})
	}
}

func TestEveryFaultAboutSendingIsNamedAtOnce(t *testing.T) {
	_, err := load(t, plainConfig+`send:
  lease: 1ms
  pushes: -1
  emails: 4
  urgent: {emails: 2}
  high: {emails: 2}
  endpoint: {emails: -1, emails_per_second: .nan, failures: -1, rest: 1ms}
`)
	var fault *notice.Error
	if !errors.As(err, &fault) {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range fault.Fields {
		fields = append(fields, f.Field)
	}
	want := []string{
		"send.lease", "send.endpoint.rest", "send.endpoint.failures", "send.urgent.emails", "send.endpoint.emails",
		"send.endpoint.emails_per_second", "send.pushes",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Fatal(diff)
	}
}
