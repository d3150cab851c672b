package app_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// scrape reads the metrics: lines by name.
func scrape(t *testing.T, r *apptest.Rig) map[string][]string {
	t.Helper()
	lines := map[string][]string{}
	for line := range strings.Lines(probe(t, r, "/metrics")) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "200 ")
		if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); strings.HasPrefix(name, "signalbox_") {
			lines[name] = append(lines[name], strings.TrimPrefix(line, name))
		}
	}
	return lines
}

func TestWhatIsMeasuredIsServedAndTheRulesOfPrometheusReadIt(t *testing.T) {
	t.Parallel()
	r, police := watched(t, func(r *apptest.Rig) { r.Config.Metrics.Listen = "127.0.0.1:0" })
	aboutIvo(police, r, 1)
	r.Settle()
	var lines map[string][]string
	r.AwaitMail(func() bool {
		lines = scrape(t, r)
		return slices.Contains(lines["signalbox_notices"], `{phase="awaiting acknowledgement"} 1`)
	})
	for name, want := range map[string]string{
		"signalbox_leader": " 1", "signalbox_events_accepted_total": " 1", "signalbox_events_refused_total": " 0",
		"signalbox_tasks_open": " 0", "signalbox_store_refusing": " 0", "signalbox_events_refused_for_room_total": " 0",
		"signalbox_undispatched": `{lane="urgent"} 0`, "signalbox_publisher_behind_events": `{agency="northbridge-police"} 0`,
		"signalbox_alarm": `{alarm="no-leader",severity="critical"} 0`,
	} {
		if !slices.Contains(lines[name], want) {
			t.Errorf("%s is %v, want %s among them", name, lines[name], want)
		}
	}
	if got, want := len(lines["signalbox_alarm"]), len(alarm.Kinds()); got != want {
		t.Errorf("%d alarms are served of %d", got, want)
	}
	for name, values := range lines {
		for _, id := range append([]string{r.Decision(police.ID, "np-1").Notices[0].Id}, "beacon", "Brennock", "np-1") {
			if strings.Contains(strings.Join(values, "\n"), id) {
				t.Errorf("%s tells of %s", name, id)
			}
		}
	}

	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "prometheus", "rules.yaml"))
	must(t, err)
	must(t, yaml.Unmarshal(text, &rules))
	read := map[string]bool{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			for _, name := range regexp.MustCompile(`signalbox_[a-z_]+`).FindAllString(rule.Expr, -1) {
				if read[name] = true; lines[name] == nil {
					t.Errorf("%s reads %s, which is not served", rule.Alert, name)
				}
			}
			if book := rule.Annotations["runbook"]; !strings.Contains(book, "{{") {
				_, err := os.Stat(filepath.Join("..", "..", book))
				must(t, err)
			}
		}
	}
	if len(read) < 4 {
		t.Errorf("the rules read %v alone", slices.Collect(maps.Keys(read)))
	}
}
