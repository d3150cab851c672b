package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// erase erases events and has another engine go on, with nothing of them in memory.
func (e *running) erase(sequences ...uint64) *running {
	e.rig.t.Helper()
	e.stop()
	if err := e.end(); err != nil {
		e.rig.t.Fatal(err)
	}
	for _, seq := range sequences {
		e.rig.events.fail(seq, notice.Fault(notice.NotFound, "test", errGone))
	}
	return e.rig.run()
}

// siblings is a rig whose matter KV/1 has two reports: i1 of Ada, who goes to one school, and i2 of Ben, who goes to another.
func siblings(t *testing.T) (*rig, *running) {
	r := newRig(t, pupil("ben", "Ben", other))
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"), r.ben("i2"))
	e.settle()
	equal(t, "gias:900101 v1: awaiting acknowledgement\ngias:900102 v1: awaiting acknowledgement", e.notices())
	return r, e
}

func (r *rig) ben(id string, change ...func(*eventv1.Event)) *eventv1.Event {
	change = append([]func(*eventv1.Event){func(ev *eventv1.Event) { ev.Children[0] = child("c1", "Ben") }}, change...)
	return r.incident(id, "KV/1", change...)
}

func supersedes(id string) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Supersedes, ev.Narrative.Disclosable = id, "It was an argument between neighbours."
	}
}

// openTasks names the kinds of the open tasks.
func (e *running) openTasks() string {
	e.rig.t.Helper()
	var kinds []string
	e.see(func(s *ledger.State) {
		for _, task := range s.TasksByDue(false) {
			kinds = append(kinds, strings.TrimPrefix(task.Kind.String(), "TASK_KIND_"))
		}
	})
	return strings.Join(kinds, ", ")
}

const (
	adaWaits = school + " v1: awaiting acknowledgement\n"
	benWaits = other + " v1: awaiting acknowledgement"
)

func TestWhatTellsOfAnErasedEventStandsUntilSomethingElseEndsIt(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*running)
		notices string
		tasks   string
	}{
		"a further event comes": {
			func(e *running) {
				e.rig.clock.Advance(time.Minute)
				e.rig.events.publish(e.rig.ben("i3"))
			},
			adaWaits + other + " v1: superseded\n" + other + " v2: awaiting acknowledgement", "",
		},
		"a further event about the same child comes": {
			func(e *running) {
				e.rig.clock.Advance(time.Minute)
				e.rig.events.publish(e.rig.incident("i3", "KV/1"))
			},
			school + " v1: superseded\n" + school + " v2: awaiting acknowledgement\n" + benWaits, "",
		},
		"another event is corrected": {
			func(e *running) { e.rig.events.publish(e.rig.ben("i3", supersedes("i2"))) },
			adaWaits + other + " v1: superseded\n" + other + " v2: awaiting acknowledgement", "",
		},
		"it is corrected itself": {
			func(e *running) { e.rig.events.publish(e.rig.incident("i3", "KV/1", supersedes("i1"))) },
			school + " v1: superseded\n" + school + " v2: awaiting acknowledgement\n" + benWaits, "",
		},
		"another event is withdrawn": {
			func(e *running) { e.withdraw("i2") },
			adaWaits + other + " v1: withdrawn", "MISDIRECTION",
		},
		"it is withdrawn itself": {
			func(e *running) { e.withdraw("i1") },
			school + " v1: withdrawn\n" + benWaits, "MISDIRECTION",
		},
		"another setting says that it does not have its child": {
			func(e *running) { e.notAt(other) },
			adaWaits + other + " v1: superseded", "NOT_AT_SETTING, NOT_AT_SETTING, MISDIRECTION",
		},
		"the setting says that it does not have the child": {
			func(e *running) { e.notAt(school) },
			school + " v1: superseded\n" + benWaits, "GAP, MISDIRECTION",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, first := siblings(t)
			e := first.erase(1)
			c.happens(e)
			e.settle()
			equal(t, c.notices, e.notices())
			equal(t, c.tasks, e.openTasks())
			e.see(func(s *ledger.State) {
				for _, id := range []string{"i1", "i2"} {
					known := s.Events[e.EventKey(police, id)]
					if standing := s.Standing(known.Source.Event); !known.Withdrawn && !known.Overtaken && len(standing) == 0 {
						t.Errorf("the publisher is told nothing of the child of %s any more", id)
					}
				}
			})
		})
	}
}

// notAt has a setting say that it does not have the child of its notice.
func (e *running) notAt(setting string) {
	e.rig.t.Helper()
	id := e.only(func(n *ledger.Notice) bool { return n.Organisation == setting && !n.Phase.Ended() })
	if err := e.NotAtSetting(e.rig.context(), id, "somebody"); err != nil {
		e.rig.t.Fatal(err)
	}
}

func TestWhereAllOfAMatterWasErasedItsNoticesStandAndItsTasksStayOpen(t *testing.T) {
	r := newRig(t)
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1", func(ev *eventv1.Event) { ev.Children = append(ev.Children, child("c2", "Nobody")) }))
	first.settle()
	e := first.erase(1)
	asked := e.openTasks()
	equal(t, "UNMATCHED, UNMATCHED", asked)

	// An answer that nobody could be told by is refused; one that says a person saw to it ends the question.
	task := e.openTask(ledgerv1.TaskKind_TASK_KIND_UNMATCHED)
	if err := e.ResolveTask(r.context(), &ledgerv1.TaskResolved{Task: task, By: "op", Resolution: ledger.Matched, Child: "ben"}); !isKind(err, notice.Invalid) {
		t.Errorf("matched: %v", err)
	}
	if err := e.ResolveTask(r.context(), &ledgerv1.TaskResolved{Task: task, By: "op", Resolution: ledger.ToldByTelephone}); err != nil {
		t.Error(err)
	}
	r.clock.Advance(time.Minute)
	r.events.publish(r.incident("i2", "KV/1"))
	e.settle()
	equal(t, school+" v1: superseded\n"+school+" v2: awaiting acknowledgement", e.notices())
	equal(t, "UNMATCHED", e.openTasks())
	e = e.erase(2)
	e.notAt(school)
	e.settle()
	equal(t, "UNMATCHED, GAP, MISDIRECTION", e.openTasks())
	e.withdraw("i2")
	e.settle()
	e.withdraw("i1")
	e.settle()
	equal(t, "MISDIRECTION, MISDIRECTION", e.openTasks()) // what was withdrawn is asked about no more
}

func TestACorrectionErasedBeforeItIsDecidedOnLeavesAQuestionAndWhatStandsAlone(t *testing.T) {
	corrected := func(e *running) { e.rig.events.publish(e.rig.incident("i2", "KV/1", supersedes("i1"))) }
	r := newRig(t)
	r.maxPack = decidedOnly(t, func(e *running) {
		e.rig.events.publish(e.rig.incident("i1", "KV/1"))
		e.settle()
		corrected(e)
	})
	log := newGate(r.log)
	r.log = log
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	log.check(func(stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		if slices.ContainsFunc(pack.Facts, isDecision) {
			return notice.Faultf(notice.Internal, "test", "the process is dead")
		}
		return nil
	})
	corrected(first)
	if err := first.end(); err == nil || r.count(func(f *ledgerv1.Fact) bool { return f.GetEventAccepted() != nil }) != 2 {
		t.Fatalf("the crash was not between the two: %v", err)
	}
	log.mend()
	r.events.fail(2, notice.Fault(notice.NotFound, "test", errGone))
	r.maxPack = 0
	e := r.run()
	e.settle()
	equal(t, school+" v1: awaiting acknowledgement", e.notices())
	equal(t, "GAP", e.openTasks())
	e = e.erase(1)
	r.events.publish(r.ben("i3"))
	e.settle()
	equal(t, "GAP", e.openTasks()) // asked once
}

func TestWhatWasErasedBeforeItsReleaseEndsWithAPerson(t *testing.T) {
	r := newRig(t)
	r.clock.Set(at(t, "2026-12-22T10:00:00Z"))
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	e := first.erase(1)
	for _, day := range []string{"2027-01-04T09:00:00Z", "2027-01-05T12:00:00Z", "2027-01-06T12:00:00Z"} {
		r.clock.Set(at(t, day))
		e.settle()
	}
	equal(t, school+" v1: with a person\n"+school+" v1: with a person", e.notices())
	equal(t, "EXHAUSTED, EXHAUSTED", e.openTasks())
}

func TestANoticeBeforeTermTellsOfWhatIsLeftAndStandsOnceItHasGoneOut(t *testing.T) {
	r := newRig(t)
	r.clock.Set(at(t, "2026-12-22T10:00:00Z"))
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"), r.incident("i2", "KV/2"))
	e.settle()
	beforeTerm := func() (reports []int, phases []string) {
		e.see(func(s *ledger.State) {
			for _, n := range s.Notices {
				if l := s.Lineages[n.Lineage]; n.BeforeTerm && slices.Contains(l.Standing, n.Id) {
					reports, phases = append(reports, len(n.Refs)), append(phases, n.Phase.String())
				}
			}
		})
		return reports, phases
	}
	reports, phases := beforeTerm()
	equal(t, "2 held", fmt.Sprintf("%d %s", reports[0], phases[0]))

	e = e.erase(1)
	r.clock.Set(at(t, "2027-01-04T09:00:00Z"))
	e.settle()
	reports, phases = beforeTerm()
	equal(t, "[1] [awaiting acknowledgement]", fmt.Sprint(reports, phases))

	e = e.erase(2)
	r.direct(pupil("ada", "Ada", other)) // so that it would be another's
	r.events.publish(r.incident("i3", "KV/1", func(ev *eventv1.Event) { ev.Children[0] = child("c1", "Ben") }))
	e.settle()
	reports, phases = beforeTerm()
	equal(t, "[1] [awaiting acknowledgement]", fmt.Sprint(reports, phases))
	if r.count(func(f *ledgerv1.Fact) bool { return len(f.GetDecided().GetSuperseded()) > 0 }) == 0 {
		t.Error("nothing was decided anew")
	}
}
