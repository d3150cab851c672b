package app_test

import (
	"slices"
	"testing"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// An answer has the meeting decided on anew, and what was called is in no store any more.
func TestAnAnswerToAMeetingWhoseEventWasErasedTakesNobodysInvitationAway(t *testing.T) {
	r, council, _ := called(t, "2026-06-16 10:00", 48*time.Hour)
	police := r.AddAgency("northbridge-police", "northbridge-police")
	before := r.Decision(council.ID, "sm-1")
	answer := func(req *meetingv1.ReplyRequest) {
		t.Helper()
		for _, n := range before.Notices {
			if n.Organisation == "northbridge-police" {
				req.Notice = n.Id
			}
		}
		req.Person = "R. Fenwick"
		_, err := police.Meetings().Reply(r.Context(), req)
		check(t, err)
		r.Settle()
	}
	answer(&meetingv1.ReplyRequest{Answer: ledgerv1.Answer_ANSWER_ACCEPTED})
	check(t, r.Service.Store().Events().Erase(r.Context(), council.ID, 1))
	r.Restart() // an event that was read is in memory until then
	council.Connect()
	police.Connect()
	answer(&meetingv1.ReplyRequest{Answer: ledgerv1.Answer_ANSWER_DECLINED, Reason: "no_capacity"})

	d := r.Decision(council.ID, "sm-1")
	equal(t, "cause", d.Cause, ledgerv1.Cause_CAUSE_REPLY)
	equal(t, "superseded", len(d.Superseded), 0)
	equal(t, "kept", len(d.Kept), len(before.Notices))
	lines, shown := council.Meeting("SM-1")
	equal(t, "who comes", lines, []string{"ashmere-council: no_answer", "ashmere-health: no_answer", "northbridge-police: declined, no_capacity"})
	equal(t, "missing", shown.Missing, []string{"health", "local_authority", "police"})
	r.Clock.Set(apptest.London("2026-06-18 09:00"))
	r.Settle()
	tasks := r.OpenTasks()
	equal(t, "tasks once the answers are due", len(slices.DeleteFunc(tasks, func(s string) bool { return s != "GAP ashmere-council desk" })), len(shown.Missing))
	r.Verify()
}
