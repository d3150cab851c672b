package store

import (
	"context"
	"errors"
	"strings"
	"sync"

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

	Completeness FeedbackKind = "completeness" // what an event that went out leaves out
	Manifest     FeedbackKind = "manifest"     // how the manifest of a day compares with what was taken in
)

// HeaderFault is set on the answer to a feedback request that could not be answered, with empty data.
const HeaderFault = "Signalbox-Fault"

// feedbackWaiting is how many of an agency's requests for feedback wait while one is answered. Each agency has a line of
// its own: one that asks without end, or whose answers are slow, must not hold up another.
const feedbackWaiting = 8

// PublishFeedback tells an agency something over core NATS. It is a hint: an agency that is not listening misses it,
// and asks for what it missed.
func (s *Store) PublishFeedback(agency notice.AgencyID, kind FeedbackKind, data []byte) error {
	const op = "store.PublishFeedback"
	if err := checkAgency(op, agency); err != nil {
		return err
	}
	switch kind {
	case Status, Rejected, Completeness, Manifest:
	default:
		return notice.Faultf(notice.Invalid, op, "feedback is of kind status, rejected, completeness or manifest")
	}
	return fault(op, s.nc.Publish(AgencySubject(agency, string(kind)), data))
}

// ServeFeedback answers agencies' requests on FeedbackSubject with what fn returns, until the context ends; it then
// returns nil once the requests in hand are answered. The agency is the one whose account asked, whatever the request
// says. fn is called from several goroutines, once at a time for each agency. Instances share the requests. ready, unless
// nil, is called once requests are heard. An answer larger than a message may be is replaced by an empty one with
// HeaderFault, as is the answer to an agency that asks faster than it is answered.
func (s *Store) ServeFeedback(ctx context.Context, ready func(), fn func(agency notice.AgencyID, request []byte) []byte) error {
	const op = "store.ServeFeedback"
	lines := feedbackLines{ctx: ctx, store: s, fn: fn, of: map[string]chan *nats.Msg{}}
	sub, err := s.nc.QueueSubscribe(feedbackPrefix+"*", "signalbox", lines.hear)
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
	<-ctx.Done()
	err = lines.close()
	if unsub := sub.Unsubscribe(); unsub != nil && !errors.Is(unsub, nats.ErrConnectionClosed) {
		err = errors.Join(err, unsub)
	}
	return fault(op, err)
}

// feedbackLines are the requests that wait, in a line for each agency.
type feedbackLines struct {
	ctx   context.Context
	store *Store
	fn    func(notice.AgencyID, []byte) []byte

	mu     sync.Mutex
	of     map[string]chan *nats.Msg // by subject: accounts bound how many there are
	closed bool
	group  errgroup.Group
}

// hear puts a request into its line. It is quick: requests of every agency come through it.
func (l *feedbackLines) hear(m *nats.Msg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	line := l.of[m.Subject]
	if line == nil {
		line = make(chan *nats.Msg, feedbackWaiting)
		l.of[m.Subject] = line
		l.group.Go(func() error { return l.answer(line) })
	}
	select {
	case line <- m:
	default:
		l.store.reply(m, &nats.Msg{Header: nats.Header{HeaderFault: {"too many requests: ask again once the last is answered"}}})
	}
}

func (l *feedbackLines) answer(line <-chan *nats.Msg) error {
	for {
		select {
		case <-l.ctx.Done():
			return nil
		case m := <-line:
			l.store.answer(m, l.fn)
		}
	}
}

// close waits for the requests in hand.
func (l *feedbackLines) close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.group.Wait()
}

func (s *Store) answer(m *nats.Msg, fn func(notice.AgencyID, []byte) []byte) {
	if m.Reply == "" {
		return
	}
	agency := notice.AgencyID(strings.TrimPrefix(m.Subject, feedbackPrefix))
	reply := &nats.Msg{Data: fn(agency, m.Data)}
	if int64(len(reply.Data)) > s.nc.MaxPayload() {
		reply = &nats.Msg{Header: nats.Header{HeaderFault: {"too large: ask for less"}}}
	}
	s.reply(m, reply)
}

// reply answers a request. A lost answer is the requester's timeout: it asks again.
func (s *Store) reply(to, with *nats.Msg) {
	if to.Reply == "" {
		return
	}
	with.Subject = to.Reply
	_ = s.nc.PublishMsg(with)
}
