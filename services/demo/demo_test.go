package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds a demo that hangs. One takes 3 s on two idle cores, and much longer under the race detector.
const patience = 2 * time.Minute

func logger(t *testing.T) *zap.Logger { return zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)) }

func TestTheDemoEndsWithTheCountOfEveryNotice(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out bytes.Buffer
	if err := Run(ctx, Options{ExitWhenIdle: true, Out: &out, Log: logger(t)}); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("the demo took longer than %s", patience)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	last := lines[len(lines)-1]
	var all, acknowledged, delivered, held, person, superseded int
	const form = "notices: %d in all, %d acknowledged, %d delivered, %d held, %d with a person, %d superseded, 0 without an end or an owner"
	if _, err := fmt.Sscanf(last, form, &all, &acknowledged, &delivered, &held, &person, &superseded); err != nil {
		t.Fatalf("the last line is %q: %v", last, err)
	}
	if again := fmt.Sprintf(form, all, acknowledged, delivered, held, person, superseded); again != last {
		t.Errorf("the last line is %q, want exactly %q", last, again)
	}
	if sum := acknowledged + delivered + held + person + superseded; sum != all || all == 0 {
		t.Errorf("%d notices by state, %d in all", sum, all)
	}
	for i, line := range lines[:len(lines)-1] {
		if n := len([]rune(line)); n > width && !strings.Contains(line, "https://") {
			t.Errorf("line %d is %d columns wide, want at most %d: %s", i+1, n, width, line)
		}
	}
}

// rehearse plays every scene and leaves the world up for the test to look at.
func rehearse(t *testing.T, out io.Writer) (context.Context, *stage) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	group, ctx := errgroup.WithContext(ctx)
	w, err := open(ctx, group, clock.NewMovable(opening()), t.TempDir(), logger(t), &progress{})
	t.Cleanup(func() {
		stop()
		if err := group.Wait(); err != nil {
			t.Errorf("the world ends with %v", err)
		}
		if w != nil {
			w.close()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(w, out, &progress{})
	if err := s.play(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx, s
}

func TestEverySceneEndsAsItSays(t *testing.T) {
	var out bytes.Buffer
	ctx, s := rehearse(t, &out)

	got := map[string][]string{}
	for _, e := range s.events {
		a, err := s.account(ctx, e.event.Source, e.event.Id)
		if err != nil {
			t.Fatal(err)
		}
		list := []string{}
		for _, n := range a.notices {
			state, _, _ := strings.Cut(s.state(n), "\n")
			list = append(list, fmt.Sprintf("%s v%d %s", n.Organisation, n.Version, state))
		}
		for _, task := range a.tasks {
			state := task.resolution
			switch {
			case task.settled:
				state = "settled"
			case state == "":
				state = "open"
			}
			list = append(list, fmt.Sprintf("task %s of %s: %s", task.Role, task.Organisation, state))
		}
		slices.Sort(list)
		got[e.piece.file] = list
	}
	corrected := []string{"gias:900101 v1 ✓ acknowledged,", "gias:900101 v2 ✓ acknowledged"}
	byTelephone := []string{"task duty of ashmere-council: told_by_telephone", "task duty of ashmere-council: told_by_telephone"}
	matched := []string{
		"gias:900109 v1 ✓ acknowledged", "task desk of northbridge-police: matched", "task duty of ashmere-council: matched",
	}
	want := map[string][]string{
		"01-school-night.json": corrected,
		"02-siblings.json": {
			"ashmere-council v1 ✓ acknowledged", "gias:900101 v1 ✓ acknowledged", "gias:900101 v1 ✓ acknowledged",
			"gias:900102 v1 ✓ acknowledged", "gias:900103 v1 ✓ acknowledged",
		},
		"03-unknown-child.json":          byTelephone,
		"04-two-children-match.json":     matched,
		"05-identifier-contradicts.json": matched,
		"06-protected-child.json":        byTelephone,
		"07-school-day.json":             {"gias:900104 v1 ✓ acknowledged"},
		"08-not-at-this-school.json": {
			"gias:900108 v1 ✓ acknowledged", "gias:900110 v1 ↩ says the child is not there",
			"task desk of northbridge-police: do_not_ask", "task desk of northbridge-police: setting_chosen",
			"task duty of ashmere-council: setting_chosen",
		},
		"09-referral-health-visitor.json":         {"ashmere-health-visiting v1 ✓ delivered"},
		"10-referral-neighbour.json":              {"event v1 ✓ delivered"},
		"11-referral-health-visitor-decided.json": {"ashmere-health-visiting v1 ✓ delivered"},
		"12-referral-neighbour-decided.json":      {"event v1 ✓ delivered"},
		"13-strategy-meeting-convened.json": {
			"ashmere-council v1 ✓ acknowledged", "ashmere-health v1 ✓ acknowledged", "gias:900108 v1 ✓ acknowledged",
			"harbour-trust v1 ✓ acknowledged", "northbridge-police v1 ✓ acknowledged", "task desk of ashmere-council: told_by_telephone",
		},
		"14-strategy-meeting-concluded.json": {
			"ashmere-council v1 ✓ delivered", "ashmere-health v1 ✓ delivered", "gias:900108 v1 ✓ delivered",
			"harbour-trust v1 ✓ acknowledged", "northbridge-police v1 ✓ delivered", "task desk of ashmere-council: told_by_telephone",
		},
		"15-enquiry-home-area.json": {
			"ashmere-health v1 ✓ delivered", "kestrel-vale-council v1 ✓ acknowledged,", "northbridge-police v1 ✓ delivered",
		},
		"16-conference-concluded.json": {
			"ashmere-school-nursing v1 ✓ delivered", "ashmere-youth-justice v1 ✓ delivered", "gias:900105 v1 ✓ delivered",
			"northbridge-police v1 ✓ delivered",
		},
		"17-correction.json":           corrected,
		"18-closed-one-successor.json": {"gias:900108 v1 ✓ acknowledged"},
		"19-closed-two-successors.json": {
			"gias:900110 v1 ✓ acknowledged", "task education_safeguarding of ashmere-council: setting_chosen",
		},
		"20-closed-no-successor.json":      {"ashmere-council v1 ✓ acknowledged"},
		"21-pre-school.json":               {"ofsted:EY900201 v1 ✓ acknowledged", "ofsted:EY900202 v1 ✓ acknowledged"},
		"22-holiday-other-force.json":      {"gias:900201 v1 ‖ held until Tue 1 Sep 09:00 BST", "gias:900202 v1 … awaiting an acknowledgement"},
		MalformedEvent:                     {},
		"31-vulnerable-person-notice.json": {"ashmere-council v1 ✓ acknowledged", "ashmere-health v1 ✓ acknowledged"},
		"32-missing.json":                  {"ashmere-council v1 ✓ acknowledged,", "gias:900108 v1 ✓ acknowledged,", "kestrel-vale-council v1 ✓ acknowledged,"},
		"33-found.json":                    {"ashmere-council v1 ✓ acknowledged", "gias:900108 v1 ✓ acknowledged", "kestrel-vale-council v1 ✓ acknowledged"},
		"34-return-interview.json": {
			"ashmere-council v1 ✓ acknowledged", "kestrel-vale-council v1 ✓ acknowledged", "northbridge-police v1 ✓ acknowledged",
		},
		"35-police-protection.json":       {"ashmere-council v1 ✓ acknowledged,", "kestrel-vale-council v1 ✓ acknowledged,"},
		"36-police-protection-ended.json": {"ashmere-council v1 ✓ acknowledged", "kestrel-vale-council v1 ✓ acknowledged"},
		"37-custody.json":                 {"ashmere-council v1 ✓ acknowledged,", "ashmere-youth-justice v1 ✓ acknowledged,"},
		"38-custody-released.json":        {"ashmere-council v1 ✓ acknowledged", "ashmere-youth-justice v1 ✓ acknowledged"},
		"24-wrong-child.json": {
			"gias:900108 v1 ✓ acknowledged", "gias:900108 v1 ✓ acknowledged,", "task desk of northbridge-police: safe_to_ask",
		},
	}
	maps.Copy(want, careOutcomes())
	maps.Copy(want, gapOutcomes())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what became of each event (-want +got):\n%s", diff)
	}
	holiday := s.find("22-holiday-other-force.json")
	a, err := s.account(ctx, holiday.event.Source, holiday.event.Id)
	if err != nil {
		t.Fatal(err)
	}
	if n := a.notices[0]; n.attempt.Organisation != "kestrel-vale-council" || moment(n.DueMs) != "Mon 10 Aug 12:00 BST" {
		t.Errorf("the holiday notice stands with %s, due %s", n.attempt.Organisation, moment(n.DueMs))
	}

	t.Run("a child is named to those who read a notice, and to nobody else", func(t *testing.T) {
		for _, e := range s.events {
			for _, c := range e.event.Children {
				if c.Unborn != nil {
					continue // has no name yet
				}
				for _, m := range s.mail.All() {
					if strings.Contains(m.Subject+m.Text+m.HTML, c.Name.Family) {
						t.Errorf("%s: a mail has the name of child %s", e.piece.file, c.Ref)
					}
				}
				if e.piece.file != "01-school-night.json" && e.piece.file != "17-correction.json" && strings.Contains(out.String(), c.Name.Family) {
					t.Errorf("%s: the story has the name of child %s", e.piece.file, c.Ref)
				}
			}
		}
		if !strings.Contains(out.String(), "Name: Ivo Brennock") {
			t.Error("the story does not show the notice as the school's lead reads it")
		}
	})
	t.Run("every event that was published is counted once", func(t *testing.T) {
		sum, err := s.summary(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if counted := int(sum.Events+sum.Refused) + s.manifests(); counted != len(s.events) || s.manifests() != 1 {
			t.Errorf("%d of %d events are counted, %d manifests among them", counted, len(s.events), s.manifests())
		}
	})
	t.Run("what people and systems did besides is told", func(t *testing.T) {
		story := strings.Join(strings.Fields(out.String()), " ")
		for what, told := range sayings() {
			if !strings.Contains(story, told) {
				t.Errorf("%s: the story does not say %q", what, told)
			}
		}
	})
	t.Run("an unknown child and a protected one are answered alike", func(t *testing.T) {
		if diff := cmp.Diff(answerTo(out.String(), "A child whom no roll has."), answerTo(out.String(), "A child whose whereabouts are sealed: the answer is that of an unknown child.")); diff != "" {
			t.Errorf("unknown and protected differ:\n%s", diff)
		}
	})
}

// answerTo is what the story says below an event up to the next.
func answerTo(story, event string) string {
	_, rest, _ := strings.Cut(strings.Join(strings.Fields(story), " "), "▸ "+event)
	_, rest, _ = strings.Cut(rest, "] ")
	answer, _, _ := strings.Cut(rest[:max(strings.IndexAny(rest, "▸━"), 0)], "Meanwhile")
	return strings.TrimSpace(answer)
}

// signal is a writer that says when something was written.
type signal struct {
	bytes.Buffer
	text string
	seen chan struct{}
}

func (s *signal) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if s.seen != nil && strings.Contains(s.String(), s.text) {
		close(s.seen)
		s.seen = nil
	}
	return n, err
}

func TestTheDemoStaysUpUntilItIsInterrupted(t *testing.T) {
	ctx, interrupt := context.WithTimeout(t.Context(), patience)
	defer interrupt()
	seen := make(chan struct{})
	out := &signal{text: "Ctrl-C ends it.", seen: seen}
	data := filepath.Join(t.TempDir(), "data")
	done := make(chan error, 1)
	go func() { done <- Run(ctx, Options{Data: data, Out: out, Log: logger(t)}) }()
	select {
	case <-seen:
	case err := <-done:
		t.Fatalf("the demo ended by itself: %v", err)
	}
	interrupt()
	if err := <-done; err != nil {
		t.Errorf("interrupted, the demo ends with %v", err)
	}
	for _, path := range []string{"identities/admin/client.crt", "identities/northbridge-police/nats.seed", "events/02-siblings.json", "mails"} {
		if _, err := os.Stat(filepath.Join(data, path)); err != nil {
			t.Errorf("the data folder that was asked for has no %s", path)
		}
	}
	for _, want := range []string{" ledger timeline --event northbridge-police/np-1480", " task list", " withdraw --agency northbridge-police", " alarm list", " directory duty ashmere-council", " inbox read --server", "https://127.0.0.1:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not invite to %q", want)
		}
	}
}

func TestAnInterruptedDemoStopsInTheMiddle(t *testing.T) {
	ctx, interrupt := context.WithTimeout(t.Context(), patience)
	defer interrupt()
	seen := make(chan struct{})
	out := &signal{text: "Four in one family", seen: seen}
	done := make(chan error, 1)
	go func() { done <- Run(ctx, Options{ExitWhenIdle: true, Out: out, Log: zap.NewNop()}) }()
	<-seen
	interrupt()
	if err := <-done; err != nil {
		t.Errorf("interrupted, the demo ends with %v", err)
	}
}

func TestADataFolderThatIsNotEmptyIsRefused(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "mine.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), Options{Data: data, Out: io.Discard})
	if notice.KindOf(err) != notice.Precondition {
		t.Errorf("error %v, want a precondition that asks for another folder", err)
	}
	if _, err := os.Stat(filepath.Join(data, "mine.txt")); err != nil {
		t.Error("the refusal removed what was there")
	}
}
