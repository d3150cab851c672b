package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// manifest is a part of the manifest of the rig's first day.
func (r *rig) manifest(id string, part, parts uint32, references ...string) *eventv1.Event {
	m := &eventv1.Manifest{Day: "2026-11-19", Part: part, Parts: parts}
	for _, reference := range references {
		m.Entries = append(m.Entries, &eventv1.ManifestEntry{Kind: string(notice.EncompassIncident), Subject: reference, Children: 1})
	}
	return &eventv1.Event{
		Id: id, Source: police, Type: string(notice.Manifest), Subject: "manifest", Time: timestamppb.New(r.clock.Now()), Area: area,
		Payload: &eventv1.Event_Manifest{Manifest: m},
	}
}

// compared is what each comparison found, a line each.
func (r *rig) compared() []string {
	lines := []string{}
	for _, f := range r.facts() {
		c := f.GetManifestCompared()
		if c == nil {
			continue
		}
		line := fmt.Sprintf("%s of %d:", c.Day, c.References)
		for _, d := range c.Differences {
			line += " " + strings.TrimPrefix(d.What.String(), "DIVERGENCE_")
		}
		lines = append(lines, line)
	}
	return lines
}

// reading is an engine, just started, that reads the first of the events to compare what they list with what came, and does
// not get it until it is let go.
func (r *rig) reading(events ...*eventv1.Event) (e *running, letGo func()) {
	r.t.Helper()
	first := r.run()
	r.events.publish(events...)
	first.settle()
	first.stop()
	if err := first.end(); err != nil {
		r.t.Fatal(err)
	}
	begun, letGo := r.events.holdRead(r.t, 1)
	e = r.run() // which remembers no event
	r.clock.Set(at(r.t, "2026-11-20T02:00:00Z"))
	select {
	case <-begun:
	case <-time.After(patience):
		r.t.Fatal("the manifest is not read")
	}
	return e, letGo
}

// taken waits until so many events were taken in, whatever else goes on.
func (e *running) taken(sequence uint64) {
	e.rig.t.Helper()
	if err := e.AwaitInbox(e.rig.context(), health, func(s *ledger.State, _ int) bool { return s.Cursor(police) >= sequence }); err != nil {
		e.rig.t.Fatalf("%d events were not taken in: %v", sequence, err)
	}
}

func TestWhileAManifestIsReadEverythingElseGoesOn(t *testing.T) {
	r := newRig(t)
	e, letGo := r.reading(r.manifest("m1", 1, 1, "C/1", "C/2"))
	r.events.publish(r.incident("e1", "C/1", func(ev *eventv1.Event) { ev.Time = timestamppb.New(at(t, "2026-11-19T22:00:00Z")) }))
	r.post.arrived(t, 1)
	if got := r.compared(); len(got) > 0 {
		t.Errorf("compared before it was read: %v", got)
	}
	letGo()
	e.settle()
	if diff := cmp.Diff([]string{"2026-11-19 of 2: NOT_TAKEN_IN"}, r.compared()); diff != "" {
		t.Errorf("compared (-want +got):\n%s", diff)
	}
}

func TestAManifestThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		change   func(r *rig) *eventv1.Event
		at       string // once more time has passed
		compared []string
	}{
		"withdrawn": {
			change: func(r *rig) *eventv1.Event {
				return &eventv1.Event{
					Id: "w1", Source: police, Type: string(notice.EventWithdrawn), Subject: "w1", Time: timestamppb.New(r.clock.Now()), Area: area,
					Payload: &eventv1.Event_EventWithdrawn{EventWithdrawn: &eventv1.EventWithdrawn{Event: "m1", Reason: "published_in_error"}},
				}
			},
			compared: []string{"2026-11-19 of 0: NO_MANIFEST"},
		},
		"corrected": {
			change: func(r *rig) *eventv1.Event {
				again := r.manifest("m2", 1, 1, "C/1", "C/2", "C/3")
				again.Supersedes = "m1"
				return again
			},
			at:       "2026-11-20T04:00:00Z",
			compared: []string{"2026-11-19 of 3: NOT_TAKEN_IN NOT_TAKEN_IN NOT_TAKEN_IN"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			e, letGo := r.reading(r.manifest("m1", 1, 1, "C/1"))
			r.events.publish(tc.change(r))
			e.taken(2)
			letGo()
			e.settle()
			if tc.at != "" {
				r.clock.Set(at(t, tc.at))
				e.settle()
			}
			if diff := cmp.Diff(tc.compared, r.compared()); diff != "" {
				t.Errorf("compared (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAManifestThatCannotBeReadNowIsReadLater(t *testing.T) {
	r := newRig(t)
	e, letGo := r.reading(r.manifest("m1", 1, 1, "C/1"))
	r.events.fail(1, notice.Faultf(notice.Unavailable, "test", "the store is away"))
	letGo()
	e.settle()
	r.events.fail(1, nil)
	r.clock.Advance(time.Minute)
	e.await("its comparison", func(s *ledger.State) bool { return s.Manifest(police, "2026-11-19").Compared != nil })
	if diff := cmp.Diff([]string{"2026-11-19 of 1: NOT_TAKEN_IN"}, r.compared()); diff != "" {
		t.Errorf("compared (-want +got):\n%s", diff)
	}
}

// BenchmarkManifest compares the largest manifest there may be, of which nothing has come. waits/ns is the longest that
// whoever asks the engine for something had to wait meanwhile.
func BenchmarkManifest(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		r := newRig(b)
		e := r.run()
		for part := range uint32(100) {
			references := make([]string, 1000)
			for i := range references {
				references[i] = fmt.Sprintf("C/%d/%d", part, i)
			}
			r.events.publish(r.manifest(fmt.Sprintf("m%d", part), part+1, 100, references...))
		}
		e.settle()
		b.StartTimer()
		r.clock.Set(at(b, "2026-11-20T02:00:00Z"))
		var longest time.Duration
		for done := false; !done; {
			asked := time.Now()
			e.see(func(s *ledger.State) { done = s.Manifest(police, "2026-11-19").Compared != nil })
			longest = max(longest, time.Since(asked))
		}
		b.ReportMetric(float64(longest), "wait-ns")
		b.StopTimer()
		e.stop()
		if err := e.end(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
