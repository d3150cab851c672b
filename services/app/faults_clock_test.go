package app_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// clockFaults are those of clocks.
func clockFaults() []fault {
	return []fault{
		{
			name: "the clocks go forward, every wait keeps its length and every release its hour",
			run: func(t *testing.T, a *account) {
				clocksChange(t, a, night{
					evening: "2027-03-27 23:30", noon: "12:00 Tue 30 Mar (BST)", release: "09:00 Fri 9 Apr (BST)", hours: 3,
				})
			},
		},
		{
			name: "the clocks go back, every wait keeps its length and every release its hour",
			run: func(t *testing.T, a *account) {
				clocksChange(t, a, night{
					evening: "2026-10-24 23:30", noon: "12:00 Mon 26 Oct (GMT)", release: "09:00 Fri 30 Oct (GMT)", hours: 5,
				})
			},
		},
	}
}

// night is one in a school holiday in which the clocks change.
type night struct {
	evening string // when it begins, before the change
	hours   int    // that it lasts, by no clock
	noon    string // of the next working day: what is told in the holidays is due then
	release string // of what is held for the last working day before term
}

// step is how often the clock is moved in the night; afterwards it is an hour.
const step = 5 * time.Minute

// clocksChange has events of three kinds come all night, and lets two weeks pass in which nobody acts. Each kind has a
// wait that runs across the change: an hour's due time, a task's hour, a holiday's noon and a release.
func clocksChange(t *testing.T, a *account, n night) {
	r := apptest.Start(t, apptest.London(n.evening))
	a.mailbox(r.Mail)
	police := r.AddAgency("northbridge-police", "northbridge-police")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	kinds := []func(id string) error{
		func(id string) error {
			return a.publish(police, apptest.Incident(police, id, id, r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
		},
		func(id string) error {
			return a.publish(police, apptest.Incident(police, id, id, r.Clock.Now(), apptest.Child("c1", "Nobody", "Weknow", "2014-01-01")))
		},
		func(id string) error {
			ev := referral(council, id)
			ev.Time = timestamppb.New(r.Clock.Now())
			ev.GetPayload().(*eventv1.Event_ReferralReceived).ReferralReceived.ReceivedAt = ev.Time
			return a.publish(council, ev)
		},
	}
	number := 0
	for over := r.Clock.Now().Add(time.Duration(n.hours) * time.Hour); r.Clock.Now().Before(over); r.Clock.Advance(step) {
		check(t, kinds[number%len(kinds)](fmt.Sprintf("ref-%03d", number)))
		r.Settle()
		number++
	}
	for over := r.Clock.Now().Add(14 * 24 * time.Hour); r.Clock.Now().Before(over); r.Clock.Advance(time.Hour) {
		r.Settle()
	}
	r.Settle()
	b := a.balance(t, r.Service.Store(), r.Clock.Now())

	dues, releases, hours, sent := map[string]int{}, map[string]int{}, 0, 0
	for id, notice := range b.state.Notices {
		switch {
		case notice.ReleaseMs != 0:
			releases[apptest.Clock(notice.ReleaseMs)]++
			if notice.Phase == ledger.Superseded { // by one that tells of one incident more
				continue
			}
			sent++
			if len(notice.Attempts) == 0 || notice.Attempts[0].StartedMS-notice.ReleaseMs > time.Hour.Milliseconds() {
				t.Errorf("notice %s, held until %s, was not sent then", id, apptest.Clock(notice.ReleaseMs))
			}
		case notice.Kind == "encompass.incident":
			dues[apptest.Clock(notice.DueMs)]++
		default:
			hours++
			if wait := notice.DueMs - notice.DecidedMS; wait != time.Hour.Milliseconds() {
				t.Errorf("notice %s, due in an hour, was due in %v", id, time.Duration(wait)*time.Millisecond)
			}
		}
		if late := notice.LateMS - notice.DueMs; notice.Late() && (late < 0 || late > time.Hour.Milliseconds()) {
			t.Errorf("notice %s was found late %v after it was due", id, time.Duration(late)*time.Millisecond)
		}
	}
	equal(t, "due times of what is told in the holidays", dues, map[string]int{n.noon: (number + 2) / 3})
	if len(releases) != 1 || releases[n.release] == 0 || sent != 1 {
		t.Errorf("held until %v and %d of them sent, want %s and one", releases, sent, n.release)
	}
	tasks := 0
	for id, task := range b.state.Tasks {
		if task.Kind != ledgerv1.TaskKind_TASK_KIND_UNMATCHED {
			continue
		}
		tasks++
		if wait := task.DueMs - task.OpenedMS; wait != time.Hour.Milliseconds() {
			t.Errorf("task %s, due in an hour, was due in %v", id, time.Duration(wait)*time.Millisecond)
		}
	}
	if hours == 0 || tasks == 0 {
		t.Errorf("%d notices and %d tasks due in an hour: the night shows nothing", hours, tasks)
	}
	a.note("%d notices and %d tasks due in an hour, %d due at %s, one of them all released at %s", hours, tasks, dues[n.noon], n.noon, n.release)
}
