package delivery

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// Compose makes what the recipient sees from the frozen notice and its events, one per source and in the same order,
// and lists the fields disclosed. A text that names somebody else is left out and its absence is said. A source whose
// ref is empty does not concern the child and is left out.
func Compose(n *ledgerv1.Notice, events []*eventv1.Event, p *policy.Policy, snap *directory.Snapshot) (*noticev1.Notice, []string, error) {
	seen := make(map[string]struct{})
	out, err := ComposeFrom(n, events, p, snap, func(ev *eventv1.Event, childRef string, recipient notice.OrgID, v disclosure.View) disclosure.Shown {
		shown := Show(ev, childRef, recipient, v)
		for _, path := range shown.Fields {
			seen[path] = struct{}{}
		}
		return shown
	})
	if err != nil {
		return nil, nil, err
	}
	return out, slices.Sorted(maps.Keys(seen)), nil
}

// Showing says what a recipient sees of an event about one child. What it gives is shared and must not be changed.
type Showing func(ev *eventv1.Event, childRef string, recipient notice.OrgID, v disclosure.View) disclosure.Shown

// Show works out what a recipient sees of an event.
func Show(ev *eventv1.Event, childRef string, recipient notice.OrgID, v disclosure.View) disclosure.Shown {
	return disclosure.NewReport(ev, childRef).Show(recipient, v)
}

// ComposeFrom is Compose for whoever remembers what others see of the same events, and asks for no list.
func ComposeFrom(n *ledgerv1.Notice, events []*eventv1.Event, p *policy.Policy, snap *directory.Snapshot, show Showing) (*noticev1.Notice, error) {
	const op = "delivery.Compose"
	if n.GetKind() == string(notice.DeletionRequest) {
		return composeRequest(n), nil
	}
	if len(events) == 0 || len(events) != len(n.GetRefs()) {
		return nil, notice.Fault(notice.Internal, op, fmt.Errorf("%d events for %d refs", len(events), len(n.GetRefs())))
	}
	view, ok := p.View(n.GetView())
	if !ok {
		return nil, notice.Fault(notice.Precondition, op, errors.New("the policy in force has no such view: restore it"))
	}
	basis, ok := p.Basis(n.GetBasis())
	if !ok {
		return nil, notice.Fault(notice.Precondition, op, errors.New("the policy in force has no such lawful basis: restore it"))
	}

	recipient := notice.OrgID(n.GetOrganisation())
	var shown []*eventv1.Event
	withheld := false
	for i, ev := range events {
		ref := n.GetRefs()[i]
		if ref == "" {
			continue
		}
		seen := show(ev, ref, recipient, view)
		withheld = withheld || seen.Withheld
		shown = append(shown, seen.Event)
	}
	if len(shown) == 0 {
		return nil, notice.Fault(notice.Internal, op, errors.New("no event concerns the child"))
	}

	do, doNot := advice(notice.EventKind(n.GetKind()), n.GetFunction(), view.Allows(eventv1.Label_LABEL_DECISION))
	do = append(do, howToAccept(n, events, p)...)
	if withheld {
		do = append(do, "Part of the text is held back while its author corrects it. If you need it now, ask the agency that sent this, quoting its reference.")
	}
	out := &noticev1.Notice{
		Id:           n.GetId(),
		Version:      n.GetVersion(),
		Replaces:     n.GetReplaces(),
		Repeats:      n.GetRepeats(),
		Kind:         n.GetKind(),
		Organisation: n.GetOrganisation(),
		Role:         firstRole(n),
		Basis:        basis,
		Because:      because(n, events, snap),
		Acknowledge:  n.GetAcknowledge(),
		Invitation:   n.GetInvitation() != nil,
		Do:           do,
		DoNot:        doNot,
		Events:       shown,
	}
	if n.GetDueMs() != 0 {
		out.Due = timestamppb.New(time.UnixMilli(n.GetDueMs()))
	}
	return out, nil
}

// firstRole is the function told. Who in fact receives it is a matter of the send.
func firstRole(n *ledgerv1.Notice) string {
	for _, link := range n.GetChain() {
		for _, role := range link.GetRoles() {
			return role
		}
	}
	return n.GetFunction()
}

// because says who told us, why the recipient is told and why by then.
func because(n *ledgerv1.Notice, events []*eventv1.Event, snap *directory.Snapshot) string {
	var publishers []string
	for i, ev := range events {
		name := publisher(ev, snap)
		if n.GetRefs()[i] != "" && name != "" && !slices.Contains(publishers, name) {
			publishers = append(publishers, name)
		}
	}
	var parts []string
	if len(publishers) > 0 {
		parts = append(parts, "Sent on behalf of "+strings.Join(publishers, " and ")+".")
	}
	if s := sentence(n.GetBecause()); s != "" {
		parts = append(parts, s)
	}
	if s := sentence(n.GetDueBecause()); s != "" {
		parts = append(parts, "The time was set so: "+strings.ToLower(s[:1])+s[1:])
	}
	return strings.Join(parts, " ")
}

func publisher(ev *eventv1.Event, snap *directory.Snapshot) string {
	agency, ok := snap.Agency(notice.AgencyID(ev.GetSource()))
	if !ok {
		return ""
	}
	return snap.Name(notice.OrgID(agency.GetOrganisation()))
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if strings.ContainsRune(".!?", rune(s[len(s)-1])) {
		return s
	}
	return s + "."
}
