package rpc

import (
	"context"
	"sync"

	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type inboxService struct {
	inboxv1.UnimplementedInboxServiceServer
	Deps
	key       notice.Key
	stopping  <-chan struct{}
	receivers *sync.WaitGroup
}

// Acknowledge records that a named person at the caller's organisation has a notice. A notice that is another's is not
// found, as one that does not exist.
func (s *inboxService) Acknowledge(ctx context.Context, req *inboxv1.AcknowledgeRequest) (*inboxv1.AcknowledgeResponse, error) {
	const op = "rpc.Acknowledge"
	c := callerOf(ctx)
	var own, had, withdrawn, asks bool
	var phase ledger.Phase
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		if n := state.Notices[req.GetNotice()]; n != nil {
			had = c.Kind == identity.Operator || sentTo(n, c)
			own, phase, withdrawn = had || c.may(n.Organisation), n.Phase, n.Withdrawn
			asks = c.Kind == identity.Agency && c.may(n.Organisation) && n.Invitation.GetMeetsMs() > s.Clock.Now().UnixMilli()
		}
	}); err != nil {
		return nil, err
	}
	switch {
	case !own:
		return nil, notice.Faultf(notice.NotFound, op, "there is no such notice for your organisation")
	case withdrawn:
		return nil, notice.Faultf(notice.Precondition, op, "the notice was withdrawn: do not act on it")
	case phase == ledger.Acknowledged: // again changes nothing, and needs no second name
		return &inboxv1.AcknowledgeResponse{}, nil
	case phase == ledger.Held || phase == ledger.Superseded: // before a name is kept that nothing refers to
		return nil, notice.Faultf(notice.Precondition, op, "the notice is %s: there is nothing to acknowledge", phase)
	case asks: // to have it is not to come
		return nil, notice.Faultf(notice.Precondition, op, "the notice invites to a meeting: say with MeetingService.Reply whether you come")
	case !had: // an acknowledgement of what nobody there can have read would end the search for somebody who does
		return nil, notice.Faultf(notice.Precondition, op, "the notice has not been sent to your organisation: nobody there can have read it")
	}
	statement, err := s.Vault.Keep(ctx, req.GetPerson())
	if err != nil {
		return nil, err
	}
	if err := s.Engine.Acknowledge(ctx, &ledgerv1.Acknowledged{
		Notice: req.GetNotice(), By: c.by(), Means: "grpc", Statement: statement,
	}); err != nil {
		return nil, err
	}
	return &inboxv1.AcknowledgeResponse{}, nil
}

// sentTo says whether a notice went to the caller's organisation, also by escalation.
func sentTo(n *ledger.Notice, c caller) bool {
	for i := range n.Attempts {
		a := &n.Attempts[i]
		switch a.Outcome {
		case ledgerv1.Outcome_OUTCOME_DELIVERED, ledgerv1.Outcome_OUTCOME_UNKNOWN, ledgerv1.Outcome_OUTCOME_UNSPECIFIED: // the last: under way
			if c.may(a.Organisation) {
				return true
			}
		case ledgerv1.Outcome_OUTCOME_TRANSIENT, ledgerv1.Outcome_OUTCOME_PERMANENT:
		}
	}
	return false
}
