package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func TestEveryAlarmHasARunbookWhoseCommandsAreThere(t *testing.T) {
	known := map[string]bool{"docs/runbooks/restore.md": true, "docs/runbooks/outage.md": true} // what no alarm leads to
	for _, k := range alarm.Kinds() {
		known[k.Code.Runbook()] = true
		text, err := os.ReadFile(filepath.Join(root, k.Code.Runbook()))
		if err != nil {
			t.Errorf("%s: %v", k.Code, err)
			continue
		}
		for _, part := range []string{"**Seen as:** the alarm `" + string(k.Code) + "`", "**At stake:**", "**Over when**"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s does not say %q", k.Code.Runbook(), part)
			}
		}
		commands := commandsIn(string(text))
		if len(commands) == 0 {
			t.Errorf("%s names no command", k.Code.Runbook())
		}
		for _, args := range commands {
			parses(t, args)
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name, _ := filepath.Rel(root, file); !known[filepath.ToSlash(name)] {
			t.Errorf("%s is the runbook of no alarm", name)
		}
	}
}

// commandsIn finds the commands that a text names, between backticks or on lines of their own.
func commandsIn(text string) (commands [][]string) {
	named := regexp.MustCompile("`signalbox ([^`]+)`|(?m)^ {4,}signalbox (.+)$")
	for _, found := range named.FindAllStringSubmatch(strings.ReplaceAll(text, "\n  `", "`"), -1) {
		var args []string
		for _, word := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(found[1]+found[2], -1) {
			args = append(args, strings.Trim(word, `"`))
		}
		commands = append(commands, args)
	}
	return commands
}

func TestAlarmsAreListedWithTheirAgeTheirMeaningAndWhatToRead(t *testing.T) {
	now := at(t, "2026-11-03T21:15:00Z")
	kind := alarm.Kinds()[0]
	var out bytes.Buffer
	printAlarms(&out, &alarmv1.ListResponse{Instance: "one", Alarms: []*alarmv1.Alarm{
		{
			Code: string(kind.Code), Severity: alarmv1.Severity_SEVERITY_CRITICAL, SinceMs: now.Add(-25 * time.Minute).UnixMilli(),
			Text: "3 notices in the lane urgent not sent, the oldest for 25 min", Meaning: kind.Meaning, Runbook: kind.Code.Runbook(),
			Subjects: []string{"n1"}, Count: 3,
		},
		{Code: "no-leader", Severity: alarmv1.Severity_SEVERITY_CRITICAL, SinceMs: now.UnixMilli(), Text: "x", Meaning: "y", Runbook: "z", Count: 1},
	}}, now)
	golden(t, "alarms", out.String())
}

func TestAlarmsFromTheCommandLine(t *testing.T) {
	rig := apptest.World(t, apptest.London("2026-06-18 19:42"))
	rig.Watchful()
	rig.Boot()
	o := operating{t: t, rig: rig, dir: t.TempDir()}
	rig.AwaitNoAlarm("sending-stopped")
	shows(t, o.good(o.admin(), "alarm", "list"), `^Nothing is raised at test, which leads.$`)
	o.good(o.admin(), "sending", "stop", "--reason", "a rehearsal")
	rig.AwaitAlarm("sending-stopped")
	s := o.signalbox(o.admin(), "alarm", "list")
	if s.code != exitRefused {
		t.Errorf("the status is %d while something is raised", s.code)
	}
	shows(t, s.out, `^1 alarm at test, which leads:$`, `^CRITICAL  sending-stopped  since Thu 18 Jun 2026 19:42 BST \(just now\)$`,
		`^  about: all$`, `^  read:  docs/runbooks/sending-stopped.md$`)
	if s := o.signalbox(o.admin(), "alarm", "clear", "clock-implausible", "--reason", "it is right"); s.code != exitRefused {
		t.Errorf("a clock that nobody doubts was confirmed: %s", s.out)
	} else {
		shows(t, s.err, `is not in doubt`)
	}
	if s := o.signalbox(o.admin(), "alarm", "clear", "no-leader", "--reason", "x"); s.code != exitUsage {
		t.Errorf("an alarm that ends by itself was cleared: %s", s.out)
	}
}
