package engine

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Returned records what came back after an attempt, and has the notice go on to whoever is next where it has to. The
// same again changes nothing. It acknowledges nothing.
func (e *Engine) Returned(ctx context.Context, r *ledgerv1.Returned) error {
	const op = "engine.Returned"
	return e.command(ctx, op, func() error {
		n := e.state.Notices[r.Notice]
		if n == nil {
			return notice.Faultf(notice.NotFound, op, "there is no such notice")
		}
		a, ok := n.Attempt(r.Attempt)
		if !ok || a.Channel != delivery.Email {
			return notice.Faultf(notice.NotFound, op, "there is no such attempt")
		}
		if r.Kind == ledgerv1.ReturnKind_RETURN_KIND_UNSPECIFIED {
			return notice.Faultf(notice.Invalid, op, "what came back must be named")
		}
		if a.CameBack(r.Kind) {
			return nil
		}
		came := proto.CloneOf(r)
		came.MovesOn = r.Kind == ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY && e.somebodyElse(n, a.Contact)
		if c, ok := e.contact(a.Contact); ok {
			came.VerifiedOn = c.GetVerifiedOn()
		}
		facts := []*ledgerv1.Fact{{Fact: &ledgerv1.Fact_Returned{Returned: came}}}
		if e.undoesEnd(n, a, r.Kind) {
			task := e.exhausted(n)
			task.Detail = fmt.Sprintf("the notice to %s came back after it had counted as delivered: telephone, and record who was told", n.Organisation)
			facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: task}})
		}
		e.record(facts...) // together: without the task nobody would own what came back
		e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
		return nil
	})
}

// refused records that a relay refused the recipient's address for good. It is what a relay that looks later says by a
// bounce: without it a dead address would be tried for every notice, and nobody asked to mend it.
func (e *Engine) refused(started *ledgerv1.AttemptStarted, result delivery.Result) {
	if !result.Refused {
		return
	}
	came := &ledgerv1.Returned{
		Notice: started.Notice, Attempt: started.Attempt, Kind: ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT, Code: result.Status,
	}
	if a, ok := e.state.Notices[started.Notice].Attempt(started.Attempt); !ok || a.CameBack(came.Kind) {
		return
	}
	if c, ok := e.contact(started.Contact); ok {
		came.VerifiedOn = c.GetVerifiedOn()
	}
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Returned{Returned: came}})
}

// somebodyElse says whether a notice that stands with a contact has anybody else to go to: in the same link, or a later
// one. Where it has not, an automatic reply leaves it where it is, and the chain ends at its time.
func (e *Engine) somebodyElse(n *ledger.Notice, contact string) bool {
	if !n.StandsWith(contact) {
		return false
	}
	if int(n.Link)+1 < len(n.Chain) {
		return true
	}
	link := n.Chain[n.Link]
	if link.Organisation == string(delivery.EventOrganisation) {
		return false // a referrer is one person
	}
	history := e.history(n)
	history.Away = func(c string) bool { return c == contact || n.Away(c) }
	snapshot, _ := e.Current()
	_, _, ok := delivery.Resolve(link, e.about(n), snapshot, e.now(), history)
	return ok
}

// undoesEnd says whether a bounce shows that a notice, ended as delivered, was not, and nobody knows yet.
func (e *Engine) undoesEnd(n *ledger.Notice, bounced *ledger.Attempt, kind ledgerv1.ReturnKind) bool {
	if n.Phase != ledger.Delivered || n.Task != "" || kind != ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT {
		return false
	}
	for i := range n.Attempts {
		if a := &n.Attempts[i]; a != bounced && a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED {
			return false
		}
	}
	return e.state.Tasks[e.exhausted(n).Id] == nil
}

// history is what earlier sends say about the contacts of a notice.
func (e *Engine) history(n *ledger.Notice) delivery.History {
	return delivery.History{Failed: n.GaveUp, Away: n.Away, Failing: e.failing, Declined: func(contact string) bool {
		return n.Invitation != nil && e.state.HasDeclined(n, contact)
	}}
}

func (e *Engine) failing(c *directoryv1.Contact) bool {
	return delivery.Failing(e.state.Failing[c.GetId()], c, e.config.Key)
}

func (e *Engine) contact(id string) (*directoryv1.Contact, bool) {
	snapshot, _ := e.Current()
	row, ok := snapshot.Row(directory.KindContact, id)
	return row.GetContact(), ok
}

// addressOf is what the ledger keeps of an endpoint's address: nothing of a person's who is named in an event only.
func (e *Engine) addressOf(endpoint delivery.Endpoint) []byte {
	if endpoint.Organisation == delivery.EventOrganisation {
		return nil
	}
	return delivery.AddressDigest(e.config.Key, endpoint.Address)
}
