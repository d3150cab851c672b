package store

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// FeedbackKind is what a piece of feedback is about. Its zero value is invalid.
type FeedbackKind string

// The kinds of feedback.
const (
	Status   FeedbackKind = "status"   // what became of a child's notices
	Rejected FeedbackKind = "rejected" // an event was refused, and why
)

// HeaderFault is set on the answer to a feedback request that could not be answered, with empty data.
const HeaderFault = "Signalbox-Fault"

// feedbackWorkers is how many requests for feedback are answered at once: one slow answer must not hold up an
// agency that asks little.
const feedbackWorkers = 4

// PublishFeedback tells an agency something over core NATS. It is a hint: an agency that is not listening misses it,
// and asks for what it missed.
func (s *Store) PublishFeedback(agency notice.AgencyID, kind FeedbackKind, data []byte) error {
	const op = "store.PublishFeedback"
	if err := checkAgency(op, agency); err != nil {
		return err
	}
	switch kind {
	case Status, Rejected:
	default:
		return notice.Faultf(notice.Invalid, op, "feedback is of kind status or rejected")
	}
	return fault(op, s.nc.Publish(AgencySubject(agency, string(kind)), data))
}

// ServeFeedback answers agencies' requests on FeedbackSubject with what fn returns, until the context ends; it then
// returns nil once the requests in hand are answered. The agency is the one whose account asked, whatever the request
// says. fn is called from several goroutines. Instances share the requests. ready, unless nil, is called once requests
// are heard. An answer larger than a message may be is replaced by an empty one with HeaderFault.
func (s *Store) ServeFeedback(ctx context.Context, ready func(), fn func(agency notice.AgencyID, request []byte) []byte) error {
	const op = "store.ServeFeedback"
	requests := make(chan *nats.Msg, 256)
	sub, err := s.nc.ChanQueueSubscribe(feedbackPrefix+"*", "signalbox", requests)
	if err != nil {
		return fault(op, err)
	}
	flush, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	if err := s.nc.FlushWithContext(flush); err != nil {
		return fault(op, errors.Join(err, sub.Unsubscribe()))
	}
	if ready != nil {
		ready()
	}
	var group errgroup.Group
	for range feedbackWorkers {
		group.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case m := <-requests:
					s.answer(m, fn)
				}
			}
		})
	}
	err = group.Wait()
	if unsub := sub.Unsubscribe(); unsub != nil && !errors.Is(unsub, nats.ErrConnectionClosed) {
		err = errors.Join(err, unsub)
	}
	return fault(op, err)
}

func (s *Store) answer(m *nats.Msg, fn func(notice.AgencyID, []byte) []byte) {
	if m.Reply == "" {
		return
	}
	agency := notice.AgencyID(strings.TrimPrefix(m.Subject, feedbackPrefix))
	reply := &nats.Msg{Subject: m.Reply, Data: fn(agency, m.Data)}
	if int64(len(reply.Data)) > s.nc.MaxPayload() {
		reply = &nats.Msg{Subject: m.Reply, Header: nats.Header{HeaderFault: {"too large: ask for less"}}}
	}
	// A lost answer is the requester's timeout: it asks again.
	_ = s.nc.PublishMsg(reply)
}
