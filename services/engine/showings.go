package engine

import (
	"sync"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// showings remembers what is shown of the events last decided on and sent, the oldest dropped first: those told of the
// same child by the same view see the same, and a decision looks at what is then sent. What it gives is shared and must
// not be changed.
type showings struct {
	mu   sync.Mutex
	last recent[reportKey, *showing]
}

// showingRoom is as much as bodies has.
const showingRoom = bodyRoom

// reportKey is an event, as bodies shares it, and a child's handle in it.
type reportKey struct {
	event *eventv1.Event
	ref   string
}

func newShowings(room int) *showings {
	return &showings{last: newRecent[reportKey, *showing](room)}
}

// report reads an event for one child, for routing.Facts.
func (s *showings) report(ev *eventv1.Event, childRef string) routing.Report {
	return s.of(ev, childRef)
}

// show says what a recipient sees of an event about one child. It is a delivery.Showing.
func (s *showings) show(ev *eventv1.Event, childRef string, recipient notice.OrgID, v disclosure.View) disclosure.Shown {
	return s.of(ev, childRef).Show(recipient, v)
}

func (s *showings) of(ev *eventv1.Event, childRef string) *showing {
	key := reportKey{ev, childRef}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.last.held[key]
	if one == nil {
		one = &showing{event: ev, child: childRef, shown: make(map[shownKey]disclosure.Shown)}
		s.last.put(key, one, 2*sizeOf(ev)) // the event, and about as much that is shown of it
	}
	return one
}

// showing is one report and what was shown of it. It is safe for use by several goroutines.
type showing struct {
	event *eventv1.Event
	child string

	mu    sync.Mutex
	read  *disclosure.Report // nil until it is asked for
	shown map[shownKey]disclosure.Shown
}

type shownKey struct {
	view      disclosure.View
	recipient notice.OrgID // where it is shown what others are not
}

// report is the event read for the child. The lock is held.
func (s *showing) report() *disclosure.Report {
	if s.read == nil {
		s.read = disclosure.NewReport(s.event, s.child)
	}
	return s.read
}

// Findings are what the texts hold that they must not.
func (s *showing) Findings() []disclosure.Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report().Findings()
}

// As is the recipient as far as the view shows it something else than others.
func (s *showing) As(recipient notice.OrgID, v disclosure.View) notice.OrgID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report().As(recipient, v)
}

// Show is what the recipient sees by the view.
func (s *showing) Show(recipient notice.OrgID, v disclosure.View) disclosure.Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := shownKey{view: v, recipient: s.report().As(recipient, v)}
	shown, known := s.shown[key]
	if !known {
		shown = s.report().Show(key.recipient, v)
		s.shown[key] = shown
	}
	return shown
}
