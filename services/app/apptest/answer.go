package apptest

import (
	"cmp"
	"slices"
	"time"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Timeline is every fact about an agency's event.
func (r *Rig) Timeline(agency notice.AgencyID, event string) []*ledgerv1.Fact {
	r.T.Helper()
	response, err := r.Ledger.Timeline(r.Context(), &ledgerv1.TimelineRequest{
		Of: &ledgerv1.TimelineRequest_Event{Event: &ledgerv1.EventRef{Agency: string(agency), Id: event}},
	})
	r.must(err)
	return response.Facts
}

// Decision is the last decision about an agency's event.
func (r *Rig) Decision(agency notice.AgencyID, event string) *ledgerv1.Decision {
	r.T.Helper()
	facts := r.Timeline(agency, event)
	lineage := ""
	for _, f := range facts {
		if lineage == "" {
			lineage = f.GetEventAccepted().GetLineage()
		}
	}
	for _, f := range slices.Backward(facts) {
		if d := f.GetDecided(); d.GetLineage() == lineage && d != nil {
			return d
		}
	}
	r.T.Fatalf("no decision about %s among %d facts", event, len(facts))
	return nil
}

// Told is each notice of a decision as "<rule> <organisation>: <due>", sorted.
func Told(d *ledgerv1.Decision) []string {
	told := make([]string, 0, len(d.Notices))
	for _, n := range d.Notices {
		told = append(told, n.Rule+" "+n.Organisation+": "+Clock(n.DueMs))
	}
	slices.Sort(told)
	return told
}

// Clock is an instant of the ledger in London, with GMT or BST.
func Clock(ms int64) string { return delivery.ShortTime(time.UnixMilli(ms), directory.London()) }

// OpenTasks is each open task as "<kind> <organisation> <role>", sorted.
func (r *Rig) OpenTasks() []string {
	r.T.Helper()
	tasks := make([]string, 0)
	for _, item := range r.TaskItems() {
		tasks = append(tasks, item.Task.Kind.String()[len("TASK_KIND_"):]+" "+item.Task.Organisation+" "+item.Task.Role)
	}
	slices.Sort(tasks)
	return tasks
}

// TaskItems are the open tasks.
func (r *Rig) TaskItems() []*taskv1.Item {
	r.T.Helper()
	response, err := r.Tasks.List(r.Context(), &taskv1.ListRequest{})
	r.must(err)
	return response.Items
}

// Summary counts the notices.
func (r *Rig) Summary() *ledgerv1.SummaryResponse {
	r.T.Helper()
	summary, err := r.Ledger.Summary(r.Context(), &ledgerv1.SummaryRequest{})
	r.must(err)
	return summary
}

// Verify fails the test where the ledger does not hold.
func (r *Rig) Verify() {
	r.T.Helper()
	verified, err := r.Ledger.Verify(r.Context(), &ledgerv1.VerifyRequest{})
	r.must(err)
	for _, fault := range verified.Faults {
		r.T.Errorf("ledger: %s", fault)
	}
}

// MailTo lists who has been sent notices so far, each address once, sorted.
func (r *Rig) MailTo() []string {
	addresses := make([]string, 0)
	for _, m := range r.Mail.All() {
		if !isCode(m) {
			addresses = append(addresses, m.To)
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// States are the states of a child that its publisher has heard of, in order.
func States(changes []*intakev1.Change, event, ref string) []intakev1.ChildState {
	var states []intakev1.ChildState
	for _, c := range changes {
		if s := c.GetStatus(); s != nil && s.EventId == event && s.ChildRef == ref {
			states = append(states, s.State)
		}
	}
	return states
}

// Rejected are the refusals that a publisher has heard of.
func Rejected(changes []*intakev1.Change) []*intakev1.Rejected {
	var rejected []*intakev1.Rejected
	for _, c := range changes {
		if x := c.GetRejected(); x != nil {
			rejected = append(rejected, x)
		}
	}
	slices.SortFunc(rejected, func(a, b *intakev1.Rejected) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return rejected
}
