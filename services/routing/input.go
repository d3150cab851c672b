package routing

import (
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// Event is an event and where it is kept.
type Event struct {
	Source     *ledgerv1.Source
	Body       *eventv1.Event
	Received   time.Time // when it came in; zero is now
	ReportedMS int64     // when its publisher was told of it, or of the first that it corrects, Unix milliseconds; 0 is when it says itself
}

// Prior is a notice of the round before that still stands.
type Prior struct {
	ID            string
	Obligation    string
	Version       uint32
	ContentDigest []byte
	Sent          bool   // it reached, or may have reached, an endpoint
	Contact       string // the one of the directory that it was last sent to, or that acknowledged it; else empty

	// Of one that nobody has acknowledged yet: when somebody must have it, and why then.
	DueMS      int64
	DueBecause string

	Rule         string // that it is sent by
	Child        string // of whom
	Organisation string // whom it tells

	// Of one that tells of an event which cannot be read any more.
	Erased bool
	Rests  []string // keys of all events that it was decided on

	// Of an invitation to a meeting.
	MeetsMS  int64  // when that starts, Unix milliseconds
	Declined bool   // it was declined after it had ended
	Link     uint32 // how far its chain had come

	// What a replay needs to know, and what nothing else sets.
	Ended     bool     // told, or closed by a person: it stays as it is, whatever would be told now
	Again     bool     // it has ended, and an operator has it sent again
	Past      bool     // it has ended and stood no more in the round before
	Function  string   // the function there
	Reports   []string // what it tells of: keys of events, each with the child's handle there, as ReportKey makes them
	Withdrawn bool     // it told of an event that was withdrawn: nothing of it is kept
}

// Round is what is known of a lineage besides its events: the decisions before, and what people decided.
type Round struct {
	Lineage string
	Agency  notice.AgencyID // that published its events; of a notice before term, those of one incident
	Kind    notice.EventKind
	Number  uint32 // of the decision to make
	Cause   ledgerv1.Cause
	Prior   []Prior
	Tasks   map[string]bool // tasks that the rounds before asked for, none of them a notice's own: true while open
	Settled map[string]bool // those of them that ended because a round no longer asked, and not by a person

	Acceptances []Event            // by which a home area accepts responsibility for what the lineage is about
	Matters     map[string][]Event // event that accepts → the events of what it accepts, where they are known
	Accepted    []string           // children for whom it was accepted, by the round before
	Supposed    bool               // nothing of the kind is looked up: an acceptance is taken for one that may be made

	Matched map[string]notice.ChildID                // unmatched key → the child a person says it is
	Chosen  map[notice.ChildID][]notice.OrgID        // settings a person chose for a child
	NotAt   map[notice.ChildID]map[notice.OrgID]bool // settings that say they do not have the child

	Ended map[string]string // obligation → the notice of what ended it, by the round before

	Contributed []*ledgerv1.Contribution // what the round before gave to notices before term; for a replay

	Erased Erased // what stands and cannot be read any more
}

// Facts are what every decision rests on.
type Facts struct {
	Directory *directory.Snapshot
	Policy    *policy.Policy
	Key       notice.Key
	Now       time.Time
	// Report reads an event for one child; nil is disclosure.NewReport. Whoever sends what is decided here passes one
	// that remembers, so that each event is read and filtered once.
	Report func(ev *eventv1.Event, childRef string) Report
	// Earlier counts a child's matters in the ledger, for the policy's priorities; nil knows of none.
	Earlier func(Past) int
	// Endings finds what ended a child's matters of a kind in the ledger, first what ended first; nil knows of none.
	Endings func(child notice.ChildID, of notice.EventKind) []Ending
}

// Report is an event as it may be told of about one child: a disclosure.Report, or what answers as one.
type Report interface {
	Findings() []disclosure.Finding
	As(recipient notice.OrgID, v disclosure.View) notice.OrgID
	Show(recipient notice.OrgID, v disclosure.View) disclosure.Shown
}

// subject is one child of a lineage, with every report of it.
type subject struct {
	finding      *ledgerv1.ChildFinding // of the last report
	child        *eventv1.Child         // as last reported
	event        *eventv1.Event         // the last event that reports it
	index        int                    // of that event among the sources
	refs         []string               // handle in each source; empty where it is not in it
	found        bool                   // the directory knows the child
	known        *directoryv1.Child
	livesAs      *directoryv1.Child         // who on a roll says where the child lives: itself or, of an unborn child, its mother
	named        notice.ChildID             // whom a person named in vain: nobody on a roll
	places       []place                    // where the child is taught or cared for
	home         []notice.Area              // of the authorities that answer for its education at home
	restrictions []*directoryv1.Restriction // of every child that it may be
	age          int                        // whole years at the event's time
	endings      []Ending                   // of all that is reported of it
}

func (s *subject) id() notice.ChildID { return notice.ChildID(s.finding.Child) }

// wholeEvent stands for a child's handle in a notice that tells of an event and of no child.
const wholeEvent = "*"

// decider gathers one decision.
type decider struct {
	Facts
	round  Round
	events []Event
	out    *ledgerv1.Decision

	obligations []*obligation
	tasks       map[string]bool    // planned in this round
	placed      map[string]bool    // children with a recipient, or a person's task, for their place
	contents    map[string]content // by view and reports
	reports     map[reportKey]Report
	answered    map[string]bool              // child and place: a rule told it, or said why not
	bound       [][]*directoryv1.Restriction // those of each event's children
	over        map[duty]string              // duties that have ended, and why
	ended       map[string]*ledgerv1.Notice  // obligation → the notice that tells its recipient of the end
}

// duty is what one rule, or every rule where it is empty, asks about a child.
type duty struct{ child, rule string }

// reportKey is an event's place among those of the lineage and a child's handle in it.
type reportKey struct {
	event int
	ref   string
}

// obligation is a notice to be, before it is held against the rounds before.
type obligation struct {
	*ledgerv1.Notice
	view disclosure.View
}

func newDecider(f Facts, r Round, events []Event) *decider {
	d := &decider{
		Facts: f, round: r, events: events,
		tasks: map[string]bool{}, placed: map[string]bool{}, answered: map[string]bool{},
		contents: map[string]content{}, reports: map[reportKey]Report{}, over: map[duty]string{}, ended: map[string]*ledgerv1.Notice{},
	}
	if d.Report == nil {
		d.Report = func(ev *eventv1.Event, childRef string) Report { return disclosure.NewReport(ev, childRef) }
	}
	d.out = &ledgerv1.Decision{
		Lineage: r.Lineage, Round: r.Number, Cause: r.Cause,
		Policy: f.Policy.Digest(), Directory: f.Directory.Generation(),
	}
	for _, e := range events {
		d.out.Sources = append(d.out.Sources, e.Source)
	}
	d.out.Sources = append(d.out.Sources, r.Erased.Sources...)
	d.findParties()
	return d
}
