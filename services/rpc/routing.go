package rpc

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

type routingService struct {
	routingv1.UnimplementedRoutingServiceServer
	Deps
	key  notice.Key
	live bool
}

// Explain decides on an event as if it were the first of its lineage, and shows what each recipient would see. It sends
// and records nothing.
func (s *routingService) Explain(ctx context.Context, req *routingv1.ExplainRequest) (*routingv1.ExplainResponse, error) {
	const op = "rpc.Explain"
	snapshot, current := s.Current()
	now, ev := s.Clock.Now(), req.GetEvent()
	at := now
	if req.GetAt() != nil {
		if err := req.GetAt().CheckValid(); err != nil {
			return nil, notice.InvalidFields(op, []notice.FieldFault{{Field: "at", Message: "is not a time: give an RFC 3339 time with its offset"}})
		}
		at = req.GetAt().AsTime()
	}
	if faults := s.faults(ev, snapshot, now, at); len(faults) > 0 {
		return nil, notice.InvalidFields(op, faults)
	}
	if ev.GetEventWithdrawn() != nil {
		return nil, notice.Faultf(notice.Precondition, op, "nobody is told of a withdrawal: it ends what was to be told of the event that it names")
	}

	if ev.GetManifest() != nil {
		return nil, notice.Faultf(notice.Precondition, op, "nobody is told of a manifest: it is held against what was taken in, and its publisher hears of what differs")
	}

	failing, err := s.failingNow(ctx, snapshot, s.key)
	if err != nil {
		return nil, err
	}
	p := preview{snapshot: snapshot, policy: current, at: at, event: ev, history: delivery.History{Failing: failing}, key: s.key}
	var unread error
	facts := routing.Facts{Directory: snapshot, Policy: current, Key: s.key, Now: at, Earlier: func(p routing.Past) (n int) {
		unread = errors.Join(unread, s.Engine.View(ctx, func(state *ledger.State) { n = engine.PastOf(state, p) }))
		return n
	}, Endings: func(child notice.ChildID, of notice.EventKind) (endings []routing.Ending) {
		unread = errors.Join(unread, s.Engine.View(ctx, func(state *ledger.State) { endings = engine.EndingsOf(state, child, of) }))
		return endings
	}}
	agency := notice.AgencyID(ev.GetSource())
	events := []routing.Event{{
		Source: &ledgerv1.Source{Agency: ev.GetSource(), Event: s.Engine.EventKey(agency, ev.GetId())}, Body: ev,
	}}
	lineage := s.key.ID("lineage", ev.GetSource(), ev.GetType(), ev.GetSubject())
	decision := routing.Decide(events, firstRound(lineage), facts)
	if unread != nil {
		return nil, unread
	}
	response := &routingv1.ExplainResponse{Decision: decision, At: timestamppb.New(at)}
	if err := p.show(response, decision); err != nil {
		return nil, err
	}
	for _, c := range decision.GetContributions() {
		later := routing.DecideBeforeTerm([]routing.Incident{{Contribution: c, Events: events}}, firstRound(c.GetLineage()), facts)
		if err := p.show(response, later); err != nil {
			return nil, err
		}
		decision.Notices = append(decision.Notices, later.GetNotices()...)
		decision.Considered = append(decision.Considered, later.GetConsidered()...)
		decision.Gaps = append(decision.Gaps, later.GetGaps()...)
		decision.Tasks = append(decision.Tasks, later.GetTasks()...)
	}
	return response, nil
}

func firstRound(lineage string) routing.Round {
	return routing.Round{Lineage: lineage, Number: 1, Cause: ledgerv1.Cause_CAUSE_EVENT, Supposed: true}
}

// faults holds the event against what its publisher would be held against at that instant.
func (s *routingService) faults(ev *eventv1.Event, snapshot *directory.Snapshot, now, at time.Time) []notice.FieldFault {
	if at.Before(now) {
		at = now // to look back is no reason to call the event one of the future
	}
	agency, known := snapshot.Agency(notice.AgencyID(ev.GetSource()))
	faults := s.Intake.Validate(ev, intake.Check{
		Agency: notice.AgencyID(ev.GetSource()), Kinds: agency.GetKinds(), Now: at, AreaKnown: knows(snapshot), Live: s.live,
	})
	if ev.GetSource() != "" && !known {
		faults = append(faults, notice.FieldFault{
			Field: "source", Message: "is not an agency in the directory: use one that signalbox agency list shows, or add it",
		})
	}
	return faults
}

// preview shows notices as their recipients would see them.
type preview struct {
	snapshot *directory.Snapshot
	policy   *policy.Policy
	at       time.Time
	event    *eventv1.Event
	history  delivery.History
	key      notice.Key
}

func (p preview) show(response *routingv1.ExplainResponse, decision *ledgerv1.Decision) error {
	for _, n := range decision.GetNotices() {
		content, _, err := delivery.Compose(n, []*eventv1.Event{p.event}, p.policy, p.snapshot)
		if err != nil {
			return err
		}
		shown := &routingv1.Preview{Notice: n.GetId(), Content: content}
		endpoint, passed, why, ok := p.endpoint(n, decision.GetParties())
		shown.PassedOver = passed
		if ok {
			shown.Contact, shown.Channel = endpoint.Contact, endpoint.Channel
		} else {
			shown.Unreachable = why
		}
		response.Previews = append(response.Previews, shown)
	}
	return nil
}

// endpoint is where a notice would go first: along its chain, as the engine moves on from a link that has nobody. It answers
// also the parties that were passed over.
func (p preview) endpoint(n *ledgerv1.Notice, parties [][]byte) (e delivery.Endpoint, passed []*ledgerv1.PassedOver, why string, ok bool) {
	at := p.at
	if release := time.UnixMilli(n.GetReleaseMs()); release.After(at) {
		at = release
	}
	child := notice.ChildID(n.GetChild())
	about := delivery.About{Child: child, Parties: directory.NewCircle(p.key, parties)}
	var reasons []string
	for _, link := range n.GetChain() {
		var endpoint delivery.Endpoint
		var skips []delivery.Skip
		var ok bool
		if notice.OrgID(link.GetOrganisation()) == delivery.EventOrganisation {
			endpoint, skips, ok = delivery.ResolveReferrer(p.event, child, p.snapshot, p.history)
		} else {
			endpoint, skips, ok = delivery.Resolve(link, about, p.snapshot, at, p.history)
		}
		passed = append(passed, delivery.PassedOver(skips)...)
		if ok {
			return endpoint, passed, "", true
		}
		for _, skip := range skips {
			reasons = append(reasons, strings.TrimSpace(link.GetOrganisation()+" "+skip.Contact)+": "+skip.Reason)
		}
	}
	if len(reasons) == 0 {
		return delivery.Endpoint{}, passed, "the chain is empty", false
	}
	return delivery.Endpoint{}, passed, strings.Join(reasons, "; "), false
}
