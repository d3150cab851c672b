package engine

import (
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// reasonAdult is why a notice ends that was not sent in time.
const reasonAdult = "the young person turned 18 before it was sent: the duty has ended"

// endOfDuty ends what is yet to be sent about somebody who has turned 18 since it was decided. The round that says so decides
// nothing else anew: whom else the event tells is no matter of a birthday.
func (e *Engine) endOfDuty(n *ledger.Notice) (bool, error) {
	adult, err := e.turnedAdult(n)
	if !adult || err != nil {
		return false, err
	}
	l := e.state.Lineages[n.Lineage]
	if l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED {
		e.again(ledger.Send{Notice: n}) // the decision that is due finds the same, unless it leaves everything as it stands
		return true, nil
	}
	decision := e.asItStands(l, ledgerv1.Cause_CAUSE_ADULT)
	decision.Kept = nil
	decision.Considered = []*ledgerv1.Considered{{Child: n.Child, Reason: reasonAdult}}
	for _, id := range l.Standing {
		if other := e.state.Notices[id]; other.Child == n.Child && !other.Phase.Ended() {
			decision.Superseded = append(decision.Superseded, &ledgerv1.Superseded{Notice: id, Reason: reasonAdult})
		} else {
			decision.Kept = append(decision.Kept, id)
		}
	}
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: decision}})
	for _, sup := range decision.Superseded {
		e.callOff(e.state.Notices[sup.Notice])
	}
	e.tellPublisher(l.Agency)
	return true, nil
}

// turnedAdult says whether the young person that a notice tells of has turned 18 since it was decided. Before the next day
// begins nobody has: the decision looked.
func (e *Engine) turnedAdult(n *ledger.Notice) (bool, error) {
	if n.Child == "" || n.Kind == string(notice.DeletionRequest) ||
		directory.DateOf(e.now()) == directory.DateOf(time.UnixMilli(n.DecidedMS)) {
		return false, nil
	}
	snapshot, _ := e.Current()
	if known, ok := snapshot.Child(notice.ChildID(n.Child)); ok {
		return routing.OfAge(nil, known, e.now()), nil
	}
	child, err := e.toldChild(n)
	return child != nil && routing.OfAge(child, (*directoryv1.Child)(nil), e.now()), err
}

// toldChild is the child of a notice as its last event reports it, nil where that event was erased.
func (e *Engine) toldChild(n *ledger.Notice) (*eventv1.Child, error) {
	for i, src := range slices.Backward(n.Sources) {
		if i >= len(n.Refs) || n.Refs[i] == "" {
			continue
		}
		body, err := e.body(e.work, src)
		if notice.KindOf(err) == notice.NotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, c := range body.Children {
			if c.Ref == n.Refs[i] {
				return c, nil
			}
		}
	}
	return nil, nil
}
