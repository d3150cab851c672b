package rpc

import (
	"context"
	"slices"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Withdrawer takes events back. It is durable when it returns.
type Withdrawer interface {
	Withdraw(ctx context.Context, f *ledgerv1.EventWithdrawn) error
}

// Withdraw takes an event back. What is another agency's is answered like what is not there.
func (s *intakeService) Withdraw(ctx context.Context, req *intakev1.WithdrawRequest) (*intakev1.WithdrawResponse, error) {
	const op = "rpc.Withdraw"
	c := callerOf(ctx)
	agency := notice.AgencyID(req.GetAgency())
	key := s.Engine.EventKey(agency, req.GetEvent())
	var known, before bool
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		if e := state.Events[key]; e != nil {
			known, before = true, e.Withdrawn
		}
	}); err != nil {
		return nil, err
	}
	if !known || c.Kind == identity.Agency && c.Name != req.GetAgency() {
		return nil, notice.Faultf(notice.NotFound, op, "there is no such event: check the agency and the event's id; one that has yet to come is withdrawn by publishing an event.withdrawn")
	}
	if !before { // before a reason is kept that nothing refers to
		statement, err := s.Vault.Keep(ctx, req.GetReason())
		if err != nil {
			return nil, err
		}
		if err := s.Engine.Withdraw(ctx, &ledgerv1.EventWithdrawn{
			Event: key, Agency: req.GetAgency(), By: c.by(), Reason: req.GetCode(), Statement: statement,
		}); err != nil {
			return nil, err
		}
	}
	response := &intakev1.WithdrawResponse{}
	err := s.Engine.View(ctx, func(state *ledger.State) { withdrawn(state, key, response) })
	return response, err
}

// withdrawn says what the withdrawal of an event did.
func withdrawn(state *ledger.State, key string, to *intakev1.WithdrawResponse) {
	e := state.Events[key]
	if e == nil {
		return
	}
	l := state.Lineages[e.Lineage]
	for _, n := range state.ToldOf(e) {
		if n.Phase == ledger.Withdrawn {
			to.Ended++
		}
	}
	for _, id := range l.Tasks {
		t := state.Tasks[id]
		if t.Kind == ledgerv1.TaskKind_TASK_KIND_MISDIRECTION && slices.ContainsFunc(t.Misdirected, func(n string) bool {
			return slices.Contains(e.Notices, n)
		}) {
			to.MayHaveArrived += int64(len(t.Misdirected))
			to.Task = id
		}
	}
	to.CorrectionStands = state.Overtaken(key) && len(state.Heads(l)) > 0
}

// holders are those who may have what a task says has gone astray, of each child of whom they may be shown.
func holders(state *ledger.State, t *ledger.Task, names func(notice.OrgID) string, may func(notice.ChildID) bool) []*taskv1.Holder {
	var all []*taskv1.Holder
	for _, id := range t.Misdirected {
		if !may(notice.ChildID(state.Notices[id].Child)) {
			continue
		}
		for _, h := range state.Holders(state.Notices[id]) {
			one := &taskv1.Holder{
				Notice: h.Notice, Organisation: h.Organisation, Role: h.Role, Contact: h.Contact, Channel: h.Channel, Form: h.Form,
				SentMs: h.SentMS, Outcome: arrival(h.Outcome), Read: h.Read, Acknowledged: h.Acknowledged,
				OrganisationName: names(notice.OrgID(h.Organisation)),
			}
			if h.Request != nil {
				one.Request, one.RequestState = h.Request.Id, h.Request.Phase.String()
			}
			all = append(all, one)
		}
	}
	return all
}

func arrival(o ledgerv1.Outcome) string {
	switch o {
	case ledgerv1.Outcome_OUTCOME_DELIVERED:
		return "delivered"
	case ledgerv1.Outcome_OUTCOME_UNSPECIFIED:
		return "under way"
	case ledgerv1.Outcome_OUTCOME_UNKNOWN, ledgerv1.Outcome_OUTCOME_TRANSIENT, ledgerv1.Outcome_OUTCOME_PERMANENT:
		return "unknown"
	default:
		return "unknown"
	}
}

// astray are the reports that the notices of a misdirection told of: the lineage may rest on others by now.
func astray(state *ledger.State, t *ledger.Task) []report {
	var reports []report
	for _, id := range t.Misdirected {
		n := state.Notices[id]
		for i, src := range n.Sources {
			if n.Refs[i] == "" || slices.ContainsFunc(reports, func(r report) bool { return r.source.GetEvent() == src.GetEvent() }) {
				continue
			}
			reports = append(reports, report{source: src})
		}
	}
	return reports
}
