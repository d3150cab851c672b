package engine

import (
	"strings"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/engine/queue"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// Limits bound the sends of one channel.
type Limits = queue.Limits

// itemOf is a notice as it waits to be sent to an endpoint.
func (e *Engine) itemOf(n *ledger.Notice, endpoint delivery.Endpoint) *queue.Item {
	return &queue.Item{
		ID: n.Id, Lane: n.Lane, Publisher: string(e.state.Lineages[n.Lineage].Agency), Endpoint: endpointKey(endpoint),
		DueMS: n.DueMs, SinceMS: n.DecidedMS, EndsMS: n.WaitEndsMS(e.nowMS()),
	}
}

// endpointKey names what answers or fails as one: a receiver, or the mail domain behind the relay.
func endpointKey(endpoint delivery.Endpoint) string {
	if endpoint.Channel == delivery.Email {
		return delivery.Email + " " + strings.ToLower(delivery.Domain(endpoint.Address))
	}
	return endpoint.Channel + " " + endpoint.Address
}

// dispatch starts sends while there is room, and has move on what has waited too long.
func (e *Engine) dispatch() {
	for _, q := range e.queues {
		for _, item := range q.Expired(e.nowMS()) {
			e.waitedTooLong(q, item)
		}
		for item := q.Next(e.nowMS()); item != nil; item = q.Next(e.nowMS()) {
			e.sendNext(q, item)
		}
	}
}

// sendNext sends what waited. The endpoint is found anew: who has left since is not told.
func (e *Engine) sendNext(q *queue.Queue, item *queue.Item) {
	n := e.state.Notices[item.ID]
	if !e.sendable(n) {
		return // it has ended or moved on meanwhile
	}
	switch adult, err := e.endOfDuty(n); {
	case err != nil:
		e.postpone(ledger.Send{Notice: n}, err)
		return
	case adult:
		return
	}
	endpoint, passed, why, err := e.resolve(n)
	if err == nil && why == "" && endpointKey(endpoint) != item.Endpoint {
		err = e.enqueue(n)
		endpoint = delivery.Endpoint{}
	}
	switch {
	case err != nil:
		e.postpone(ledger.Send{Notice: n}, err)
	case why != "":
		e.moveOn(n, why)
	case endpoint.Channel != "":
		e.start(q, item, n, endpoint, passed)
	}
}

// waitedTooLong has a notice move on whose link has ended while it waited.
func (e *Engine) waitedTooLong(q *queue.Queue, item *queue.Item) {
	n := e.state.Notices[item.ID]
	if !e.sendable(n) || e.holdBack(n, delivery.Endpoint{}) {
		return
	}
	if q.Resting(item.Endpoint) {
		e.moveOn(n, "not sent in time: the endpoint did not answer others")
	} else {
		e.moveOn(n, "not sent in time: others were before it")
	}
}

// verdict is what the end of a send says about its endpoint.
func verdict(result delivery.Result, asked bool) queue.Verdict {
	switch {
	case !asked:
		return queue.NotAsked
	case result.Outcome == delivery.Delivered || result.Outcome == delivery.Permanent || result.ThisOnly:
		return queue.Answered
	default:
		return queue.Failed
	}
}
