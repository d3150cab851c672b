package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestWhatAConfigurationSaysAboutTheGuards(t *testing.T) {
	config, err := load(t, plainConfig)
	if err != nil {
		t.Fatal(err)
	}
	s := config.alarmSettings()
	want := map[string]time.Duration{"urgent": time.Minute, "high": 5 * time.Minute, "routine": 30 * time.Minute}
	if diff := cmp.Diff(want, s.Undispatched); diff != "" {
		t.Errorf("left open (-want +got):\n%s", diff)
	}
	if s.Silence != 96*time.Hour || s.Leaderless != 15*time.Second || s.Refused != 20 || s.Heartbeat != 3*time.Minute ||
		config.Clock.Tolerance != time.Minute || config.NATS.ReserveBytes != 256<<20 || config.Metrics.Listen != "" {
		t.Errorf("left open: %+v", s)
	}

	config, err = load(t, plainConfig+`
nats: {store_bytes: 4000000000, reserve_bytes: 1000000000}
alarms:
  urgent: 30s
  agencies: {northbridge-police: {after: 6h}, ashmere-council: {after: 8h, office_hours: true}, beacon-row: {never: true}}
clock: {tolerance: 10s}
heartbeat: {url: "https://watch.example/1", every: 30s}
metrics: {listen: "127.0.0.1:9464"}
`)
	if err != nil {
		t.Fatal(err)
	}
	s = config.alarmSettings()
	silences := map[string]time.Duration{"northbridge-police": 6 * time.Hour, "ashmere-council": 8 * time.Hour, "beacon-row": -1}
	if diff := cmp.Diff(silences, s.Silences); diff != "" || s.Undispatched["urgent"] != 30*time.Second || s.Heartbeat != 90*time.Second {
		t.Errorf("said: %+v\n%s", s, diff)
	}
}

func TestSettingsOfTheGuardsThatCannotBeAreNamedAtOnce(t *testing.T) {
	_, err := load(t, plainConfig+`
nats: {store_bytes: 100, reserve_bytes: 200}
alarms:
  every: 1ms
  no_leader: 2s
  refused: -1
  agencies: {Nobody: {after: 1s}, beacon-row: {never: true, office_hours: true}}
clock: {tolerance: 1s}
heartbeat: {url: "http://watch.example", url_file: /x, every: 1s}
metrics: {listen: somewhere}
`)
	got := map[string]bool{}
	for _, f := range notice.FieldsOf(err) {
		got[f.Field] = true
	}
	want := map[string]bool{}
	for _, field := range []string{
		"alarms.every", "alarms.no_leader", "alarms.refused", "alarms.agencies.Nobody", "alarms.agencies.Nobody.after",
		"alarms.agencies.beacon-row", "clock.tolerance", "heartbeat.url", "heartbeat.every", "metrics.listen", "nats.reserve_bytes",
	} {
		want[field] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOnlyOfficeHoursCount(t *testing.T) {
	london := func(s string) time.Time {
		t.Helper()
		at, err := time.ParseInLocation("Mon 2006-01-02 15:04", s, directory.London())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for name, c := range map[string]struct {
		from, to string
		want     time.Duration
	}{
		"within a day":                  {"Thu 2026-06-18 10:00", "Thu 2026-06-18 11:30", 90 * time.Minute},
		"an evening":                    {"Thu 2026-06-18 17:00", "Thu 2026-06-18 23:00", 0},
		"a night":                       {"Thu 2026-06-18 16:00", "Fri 2026-06-19 10:00", 2 * time.Hour},
		"a weekend":                     {"Fri 2026-06-19 16:30", "Mon 2026-06-22 09:15", 45 * time.Minute},
		"a weekend, from within it":     {"Sat 2026-06-20 12:00", "Mon 2026-06-22 10:00", time.Hour},
		"a week":                        {"Thu 2026-06-18 09:00", "Thu 2026-06-25 09:00", 40 * time.Hour},
		"the night of the clock change": {"Fri 2026-10-23 16:00", "Mon 2026-10-26 10:00", 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			if got := officeTime(london(c.from), london(c.to), directory.WorkingDays{}); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
