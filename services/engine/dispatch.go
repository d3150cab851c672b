package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/engine/queue"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// enqueue finds the endpoint of a notice that is ready and puts it into the queue of its channel. Where the link has
// nobody left, the chain moves on.
func (e *Engine) enqueue(n *ledger.Notice) error {
	if !e.sendable(n) || e.toldByTelephone(n) {
		return nil
	}
	if int(n.Link) >= len(n.Chain) {
		e.moveOn(n, "the chain is empty")
		return nil
	}
	if adult, err := e.endOfDuty(n); adult || err != nil {
		return err
	}
	if e.holdBack(n, delivery.Endpoint{}) {
		return nil
	}
	if last := len(n.Attempts); last > 0 && n.Attempts[last-1].Link == n.Link && n.LinkEndsMS() <= e.nowMS() {
		e.moveOn(n, "not delivered in time")
		return nil
	}
	if reason, declined := e.state.DeclinedHere(n); declined {
		e.moveOn(n, "declined: "+strings.ReplaceAll(reason, "_", " "))
		return nil
	}
	endpoint, passed, why, err := e.resolve(n)
	if err != nil {
		return err
	}
	if why != "" {
		e.moveOn(n, why)
		return nil
	}
	if e.holdBack(n, endpoint) {
		return nil
	}
	if endpoint.Channel == delivery.Inbox {
		e.place(n, endpoint, passed)
		return nil
	}
	q := e.queues[endpoint.Channel]
	if q == nil {
		e.moveOn(n, "no sender for the channel "+endpoint.Channel)
		return nil
	}
	q.Add(e.itemOf(n, endpoint))
	return nil
}

// sendable says whether a notice may be sent now; one that waits to try again may not until its time.
func (e *Engine) sendable(n *ledger.Notice) bool {
	return (n.Phase == ledger.Ready || n.Phase == ledger.Waiting) && n.WakeMS <= e.nowMS()
}

// resolve finds whom the present link goes to now, with those passed over on the way, or says why nobody. It fails where the
// event cannot be read now.
func (e *Engine) resolve(n *ledger.Notice) (endpoint delivery.Endpoint, skips []delivery.Skip, why string, err error) {
	snapshot, _ := e.Current()
	if !delivery.Rests(n.Notice, snapshot, e.now()) {
		return delivery.Endpoint{}, nil, "the subscription covers it no more, or its agency has no access", nil
	}
	link := n.Chain[n.Link]
	var ok bool
	if link.Organisation == string(delivery.EventOrganisation) {
		body, err := e.body(e.work, told(n))
		if notice.KindOf(err) == notice.NotFound {
			return delivery.Endpoint{}, nil, "the event was erased", nil
		}
		if err != nil {
			return delivery.Endpoint{}, nil, "", err
		}
		endpoint, skips, ok = delivery.ResolveReferrer(body, notice.ChildID(n.Child), snapshot, e.history(n))
	} else {
		endpoint, skips, ok = delivery.Resolve(link, e.about(n), snapshot, e.now(), e.history(n))
	}
	if ok {
		return endpoint, skips, "", nil
	}
	reasons := make([]string, 0, len(skips))
	for i, s := range skips {
		if i == maxReasons {
			reasons = append(reasons, fmt.Sprintf("and %d more", len(skips)-i))
			break
		}
		reasons = append(reasons, strings.TrimPrefix(s.Contact+": "+s.Reason, ": "))
	}
	return endpoint, skips, "nobody to send to: " + strings.Join(reasons, "; "), nil
}

// maxReasons bounds a fact: an organisation may have any number of contacts.
const maxReasons = 8

// told is the last event that a notice tells of.
func told(n *ledger.Notice) *ledgerv1.Source {
	for i := len(n.Sources) - 1; i > 0; i-- {
		if n.Refs[i] != "" {
			return n.Sources[i]
		}
	}
	return n.Sources[0]
}

// start writes that an attempt begins, and begins it once that is durable.
func (e *Engine) start(q *queue.Queue, item *queue.Item, n *ledger.Notice, endpoint delivery.Endpoint, passed []delivery.Skip) {
	if e.holdBack(n, endpoint) {
		return
	}
	snapshot, current := e.Current()
	form := delivery.FormOf(endpoint, current)
	started := &ledgerv1.AttemptStarted{
		Notice: n.Id, Attempt: uint32(len(n.Attempts) + 1), Link: n.Link, Contact: endpoint.Contact,
		Channel: endpoint.Channel, Organisation: string(endpoint.Organisation), Role: endpoint.Role,
		LeaseMs: e.now().Add(e.config.Lease).UnixMilli(), PossibleDuplicate: n.MayHave(endpoint.Contact), Form: form.String(),
		Address: e.addressOf(endpoint), PassedOver: delivery.PassedOver(passed),
	}
	if n.Kind == string(notice.DeletionRequest) {
		form = delivery.Full // it says nothing of anybody
		started.Form = form.String()
	}
	frozen, sources := n.Notice, n.Sources
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptStarted{AttemptStarted: started}})
	at := e.now()
	slot := q.Start(item, at.UnixMilli())
	e.afterwards(func() {
		lease, ok := e.mayBegin(n, started)
		if !ok {
			e.off.notices.Delete(n.Id)
			q.Done(slot, queue.NotAsked, e.nowMS())
			return
		}
		e.crew.run(func() {
			ctx, cancel := context.WithTimeout(e.stillOn(e.sends, frozen.Id), lease)
			defer cancel()
			result, asked := e.send(ctx, started, frozen, sources, func(events []*eventv1.Event) (delivery.Message, error) {
				content, err := delivery.ComposeFrom(frozen, events, current, snapshot, e.showings.show)
				if err != nil {
					return delivery.Message{}, err
				}
				return delivery.Message{
					Notice: content, Endpoint: endpoint, Form: form, Attempt: started.Attempt, At: at,
					Link:              e.Links(frozen.Id, started.Attempt),
					MessageID:         delivery.MessageID(frozen.Id, endpoint.Contact, e.config.MailDomain),
					PossibleDuplicate: started.PossibleDuplicate, Urgent: frozen.Lane == ledgerv1.Lane_LANE_URGENT,
					Secure: current.SecureSubject(delivery.Domain(endpoint.Address)),
				}, nil
			})
			// Where Run has ended meanwhile nobody takes the result: the attempt counts as unknown once its lease is over.
			_ = e.hand(e.work, func() {
				result, asked := e.calledOffResult(started, result, asked)
				q.Done(slot, verdict(result, asked), e.nowMS())
				e.ended(started, result)
			})
		})
	})
}

// mayBegin says how long a send has that is durable now. While it was being written the notice may have ended, or the
// lease may be over: then nothing is sent.
func (e *Engine) mayBegin(n *ledger.Notice, started *ledgerv1.AttemptStarted) (time.Duration, bool) {
	a, _ := n.Attempt(started.Attempt)
	lease := time.UnixMilli(started.LeaseMs).Sub(e.now())
	switch {
	case a.Ended(): // its lease was over first
		return 0, false
	case n.Phase.Ended():
		e.finish(n, started.Attempt, ledgerv1.Outcome_OUTCOME_PERMANENT, notSent, 0)
		return 0, false
	case lease <= 0:
		e.finish(n, started.Attempt, ledgerv1.Outcome_OUTCOME_TRANSIENT, "not sent: the lease was over", 0)
		return 0, false
	case e.stoppedBeforeItBegan(n, started), e.distrustedBeforeItBegan(n, started):
		return 0, false
	}
	return lease, true
}

// send composes and sends one message, off the owning goroutine. It answers also whether the sender was asked.
func (e *Engine) send(ctx context.Context, started *ledgerv1.AttemptStarted, frozen *ledgerv1.Notice, sources []*ledgerv1.Source,
	compose func([]*eventv1.Event) (delivery.Message, error)) (result delivery.Result, asked bool) {
	events := make([]*eventv1.Event, len(sources))
	for i, src := range sources {
		if frozen.Refs[i] == "" {
			continue
		}
		body, err := e.body(ctx, src)
		if err != nil {
			if notice.KindOf(err) == notice.NotFound {
				return delivery.Result{Outcome: delivery.Permanent, Detail: "the event was erased"}, false
			}
			return delivery.Result{Outcome: delivery.Transient, Detail: "the event cannot be read now"}, false
		}
		events[i] = body
	}
	message, err := compose(events)
	if err != nil {
		e.Logger.Error("a notice cannot be composed", zap.String("notice", frozen.Id), zap.Error(err))
		return delivery.Result{Outcome: delivery.Permanent, Detail: "the notice cannot be composed"}, false
	}
	if !delivery.Held(ctx) {
		return delivery.Result{Outcome: delivery.Transient, Detail: "not sent: the lease was over"}, false
	}
	return e.Senders[started.Channel].Send(ctx, message), true
}

// ended takes the end of a send.
func (e *Engine) ended(started *ledgerv1.AttemptStarted, result delivery.Result) {
	n := e.state.Notices[started.Notice]
	if a, ok := n.Attempt(started.Attempt); !ok || a.Ended() {
		return // its lease was over first: it counts as unknown
	}
	switch result.Outcome {
	case delivery.Delivered:
		e.finish(n, started.Attempt, ledgerv1.Outcome_OUTCOME_DELIVERED, result.Detail, 0)
	case delivery.Transient:
		e.finish(n, started.Attempt, ledgerv1.Outcome_OUTCOME_TRANSIENT, result.Detail, result.RetryAfter)
	case delivery.Permanent:
		e.finish(n, started.Attempt, ledgerv1.Outcome_OUTCOME_PERMANENT, result.Detail, 0)
		e.refused(started, result)
	case delivery.Unknown:
		e.finish(n, started.Attempt, ledgerv1.Outcome_OUTCOME_UNKNOWN, result.Detail, result.RetryAfter)
	default: // a sender's fault: it may have arrived
		e.finish(n, started.Attempt, ledgerv1.Outcome_OUTCOME_UNKNOWN, "the sender gave no outcome", result.RetryAfter)
	}
}

// finish writes the end of an attempt, with the time of the next where there is to be one.
func (e *Engine) finish(n *ledger.Notice, attempt uint32, outcome ledgerv1.Outcome, detail string, notBefore time.Duration) {
	finished := &ledgerv1.AttemptFinished{
		Notice: n.Id, Attempt: attempt, Outcome: outcome, Detail: strings.ToValidUTF8(detail, "?"),
	}
	if outcome == ledgerv1.Outcome_OUTCOME_TRANSIENT || outcome == ledgerv1.Outcome_OUTCOME_UNKNOWN {
		_, current := e.Current()
		a, _ := n.Attempt(attempt)
		if wait, again := current.RetryAfter(n.Tries(a.Contact)); again {
			finished.RetryMs = e.now().Add(max(e.jitter(n.Id, attempt, wait), notBefore)).UnixMilli()
		}
	}
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: finished}})
	e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
}

// jitter spreads retries over a quarter of their wait, the same for the same attempt.
func (e *Engine) jitter(id string, attempt uint32, wait time.Duration) time.Duration {
	spread := e.config.Key.Digest("jitter", []byte(id), []byte{byte(attempt)})
	return wait + wait*time.Duration(spread[0])/1024
}

func (e *Engine) sending() int {
	sum := 0
	for _, q := range e.queues {
		sum += q.Sending()
	}
	return sum
}
