package engine

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/whereabouts"
)

// follow begins to read every agency that is not read yet, from where the ledger has come to.
func (e *Engine) follow(ctx context.Context, following map[notice.AgencyID]bool) {
	snapshot, _ := e.Current()
	for _, a := range snapshot.Agencies() {
		agency := notice.AgencyID(a.Id)
		if following[agency] {
			continue
		}
		following[agency] = true
		from := e.state.Cursor(agency) + 1
		e.group.Go(func() error { return e.followAgency(ctx, agency, from) })
	}
}

// followAgency reads an agency's events until the context ends. Where they cannot be read now it tries again, from the
// first that was not handed over: one agency's stream holds up no other.
func (e *Engine) followAgency(ctx context.Context, agency notice.AgencyID, from uint64) error {
	for {
		err := e.Events.Follow(ctx, agency, from, func(m Message) error {
			if err := e.handTo(ctx, e.arrivals, func() { e.take(agency, m) }); err != nil {
				return err
			}
			from = m.Sequence + 1
			return nil
		})
		if ctx.Err() != nil {
			return nil
		}
		e.Logger.Error("an agency's events cannot be read", zap.String("agency", string(agency)), zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tryAgain):
		}
	}
}

// hand gives something to the owning goroutine.
func (e *Engine) hand(ctx context.Context, in input) error { return e.handTo(ctx, e.inputs, in) }

func (e *Engine) handTo(ctx context.Context, to chan<- input, in input) error {
	select {
	case to <- in:
		return nil
	case <-e.stopped:
		return ErrNotLeading
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take takes one event in: accepted, refused, or known already. The ledger is the record of what was taken; the place in
// the stream only says where to read on.
func (e *Engine) take(agency notice.AgencyID, m Message) {
	if m.Sequence <= e.state.Cursor(agency) {
		return
	}
	source := &ledgerv1.Source{Agency: string(agency), Sequence: m.Sequence}
	e.tellPublisher(agency)
	if m.Faults > 0 {
		e.refuse(agency, source, m)
		return
	}
	source.Event = e.eventKey(agency, m.Event.Id)
	digest := e.digest(m.Event)
	if before, known := e.known(source.Event); known {
		if !bytes.Equal(before, digest) {
			e.refuse(agency, source, m) // its first content stands; a new one needs an id of its own
			return
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventRepeated{EventRepeated: &ledgerv1.EventRepeated{Source: source}}})
		return
	}
	if withdraws := m.Event.GetEventWithdrawn(); withdraws != nil {
		e.takeWithdrawal(agency, source, digest, m)
		return
	}
	if m.Event.GetManifest() != nil {
		e.takeManifest(agency, source, digest, m)
		return
	}
	accepted := &ledgerv1.EventAccepted{
		Source: source, Kind: m.Event.Type, Digest: digest, TimeMs: m.Event.Time.AsTime().UnixMilli(),
		Lineage:   e.config.Key.ID("lineage", string(agency), m.Event.Type, m.Event.Subject),
		Overtaken: e.state.Overtaken(source.Event), ReportedBy: m.Reported.Contact, Statement: m.Reported.Statement,
		Children: uint32(len(m.Event.Children)), ReceivedMs: e.now().Add(-m.Waited).UnixMilli(),
	}
	if a := m.Event.GetResponsibilityAccepted().GetAccepts(); a != nil {
		accepted.Accepts = e.config.Key.ID("lineage", a.Agency, a.Kind, a.Reference)
	}
	if notice.EventKind(m.Event.Type).Ends() != "" {
		accepted.EndedMs = whereabouts.Happened(m.Event).UnixMilli()
	}
	if m.Event.Supersedes != "" {
		accepted.Supersedes = e.eventKey(agency, m.Event.Supersedes)
		if _, manifest := e.state.ManifestDigest(accepted.Supersedes); manifest {
			e.refuse(agency, source, m)
			return
		}
		if old := e.state.Events[accepted.Supersedes]; old != nil {
			if old.Kind != accepted.Kind {
				e.refuse(agency, source, m) // rules are by kind: one lineage is of one kind
				return
			}
			if accepted.Lineage != old.Lineage {
				accepted.Lineage, accepted.Reference = old.Lineage, accepted.Lineage
			}
		}
	}
	e.bodies.put(source, m.Event)
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: accepted}})
}

// received is when an event came in; zero where the ledger does not know it.
func (e *Engine) received(src *ledgerv1.Source) time.Time {
	if ev := e.state.Events[src.Event]; ev != nil {
		return time.UnixMilli(ev.ReceivedMS())
	}
	return time.Time{}
}

// refuse records a refusal, with a task for the publisher's desk: an event that cannot be read may be about a child.
func (e *Engine) refuse(agency notice.AgencyID, source *ledgerv1.Source, m Message) {
	snapshot, current := e.Current()
	owner := ""
	if a, ok := snapshot.Agency(agency); ok {
		owner = a.Organisation
	}
	kind := ledgerv1.TaskKind_TASK_KIND_QUARANTINED
	detail := "an event was refused: correct it and publish it again"
	if m.Faults == 0 {
		detail = "an event came again under the same id with other content, corrects an event of another kind, or withdraws a withdrawal: publish it under an id of its own"
	}
	e.record(
		&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventRefused{EventRefused: &ledgerv1.EventRefused{
			Source: source, Quarantine: m.Quarantine, Faults: uint32(max(m.Faults, 1)), Lineage: e.lineageOf(agency, m),
		}}},
		&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: &ledgerv1.Task{
			Id:   e.config.Key.ID("task", kind.String(), string(agency), strconv.FormatUint(m.Sequence, 10)),
			Kind: kind, Organisation: owner, Role: "desk", DueMs: e.now().Add(current.TaskTime(kind)).UnixMilli(),
			Detail: detail,
		}}},
	)
}

// lineageOf is the lineage that a refused event would belong to, where as much as that can be read of it.
func (e *Engine) lineageOf(agency notice.AgencyID, m Message) string {
	if m.Event.GetType() == "" || m.Event.GetSubject() == "" {
		return ""
	}
	return e.config.Key.ID("lineage", string(agency), m.Event.Type, m.Event.Subject)
}

// eventKey is the event's name in the ledger: a publisher's own ids may say something about a case.
func (e *Engine) eventKey(agency notice.AgencyID, id string) string {
	return e.config.Key.ID("event", string(agency), id)
}

// EventKey is the name in the ledger of an agency's event.
func (e *Engine) EventKey(agency notice.AgencyID, id string) string { return e.eventKey(agency, id) }

// EventDigest is the keyed digest that the ledger has of an event's content.
func (e *Engine) EventDigest(ev *eventv1.Event) []byte { return e.digest(ev) }

func (e *Engine) digest(ev *eventv1.Event) []byte {
	bs, err := proto.MarshalOptions{Deterministic: true}.Marshal(ev)
	if err != nil {
		bs = nil // only invalid UTF-8, which intake refuses
	}
	return e.config.Key.Digest("event", bs)
}

// tellPublisher lets an agency know, once the facts are durable, that there is something to hear.
func (e *Engine) tellPublisher(agency notice.AgencyID) {
	e.afterwards(func() {
		select {
		case e.news <- agency:
		default: // feedback over the network is a hint; it can be asked for
		}
	})
}
