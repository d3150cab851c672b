package ledger

import (
	"cmp"
	"maps"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Tally counts events by what they left out that a useful notice needs.
type Tally struct {
	Events int64                // that were decided on
	Thin   int64                // of these, that left something out
	Lacks  map[string]LackTally // by need
}

// LackTally counts the events that left one thing out.
type LackTally struct {
	Missing int64
	Given   int64 // of these, events of which a correction gave it since
}

// Counted is the Tally of one agency and kind of event.
type Counted struct {
	Agency notice.AgencyID
	Kind   notice.EventKind
	Tally
}

const hourMS = 3_600_000

// period is an hour of one agency's events of one kind. Days of London begin and end with an hour.
type period struct {
	agency notice.AgencyID
	kind   notice.EventKind
	hour   int64 // of Unix time
}

// Completeness counts what was left out of the events taken in from one instant until another, both rounded down to the
// hour; no agency is every one, and 0 is no bound.
func (s *State) Completeness(agency notice.AgencyID, fromMS, untilMS int64) []Counted {
	sums := map[period]*Tally{}
	for p, t := range s.tallies {
		if agency != "" && p.agency != agency || p.hour < fromMS/hourMS || untilMS > 0 && p.hour >= untilMS/hourMS {
			continue
		}
		p.hour = 0
		sum := sums[p]
		if sum == nil {
			sum = &Tally{Lacks: map[string]LackTally{}}
			sums[p] = sum
		}
		sum.add(t)
	}
	var all []Counted
	for p, t := range sums {
		all = append(all, Counted{Agency: p.agency, Kind: p.kind, Tally: *t})
	}
	slices.SortFunc(all, func(a, b Counted) int {
		return cmp.Or(cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}

func (t *Tally) add(other *Tally) {
	t.Events += other.Events
	t.Thin += other.Thin
	for need, l := range other.Lacks {
		sum := t.Lacks[need]
		t.Lacks[need] = LackTally{Missing: sum.Missing + l.Missing, Given: sum.Given + l.Given}
	}
}

// mayLack holds what a decision says is left out against its events.
func (s *State) mayLack(d *ledgerv1.Decision) error {
	for _, lack := range d.Lacks {
		if lack.Need == "" || !slices.ContainsFunc(d.Sources, func(src *ledgerv1.Source) bool { return src.Event == lack.Event }) {
			return s.impossible("finds something left out of an event that it does not rest on, of lineage", d.Lineage)
		}
	}
	return nil
}

// assess counts what the events of a decision leave out, and lets their publisher know what has changed of it.
func (s *State) assess(l *Lineage, d *ledgerv1.Decision, atMS int64) {
	if l.BeforeTerm() || l.Deletion != nil {
		return // made of events that were assessed where they were decided
	}
	for _, src := range d.Sources {
		e := s.Events[src.Event]
		if e == nil {
			continue
		}
		lacks := lacksOf(d, src.Event)
		tell := !slices.EqualFunc(e.Lacks, lacks, sameLack)
		if !e.Assessed {
			e.Assessed = true
			s.count(e, lacks)
			corrected := s.Events[e.Supersedes]
			tell = len(lacks) > 0 || corrected != nil && len(corrected.Lacks) > 0
		}
		e.Lacks = lacks
		if tell {
			s.changed(l.Agency, Change{AtMS: atMS, Event: src.Event, Sequence: src.Sequence, Assessed: true, Lacks: lacks})
		}
	}
	s.given(l, d)
}

func lacksOf(d *ledgerv1.Decision, event string) []*ledgerv1.Lack {
	var lacks []*ledgerv1.Lack
	for _, lack := range d.Lacks {
		if lack.Event == event {
			lacks = append(lacks, lack)
		}
	}
	return lacks
}

func sameLack(a, b *ledgerv1.Lack) bool {
	return a.Need == b.Need && a.Ref == b.Ref && slices.Equal(a.Fields, b.Fields)
}

// count adds an event to the tallies, each of its lacks once however many children it is about.
func (s *State) count(e *Event, lacks []*ledgerv1.Lack) {
	tallies := s.talliesOf(e)
	missing := map[string]bool{}
	for _, lack := range lacks {
		missing[lack.Need] = true
	}
	for _, t := range tallies {
		t.Events++
		if len(missing) > 0 {
			t.Thin++
		}
		for need := range missing {
			l := t.Lacks[need]
			l.Missing++
			t.Lacks[need] = l
		}
	}
	if len(missing) > 0 {
		s.open[e.Source.Event] = slices.Sorted(maps.Keys(missing))
	}
}

// given notes what corrections give that the events they correct left out.
func (s *State) given(l *Lineage, d *ledgerv1.Decision) {
	for _, key := range l.Events {
		needs := s.open[key]
		if len(needs) == 0 || !s.Events[key].Overtaken {
			continue
		}
		stands := s.StandsNow(key)
		if !slices.ContainsFunc(d.Sources, func(src *ledgerv1.Source) bool { return src.Event == stands }) {
			continue
		}
		still := lacksOf(d, stands)
		var left []string
		for _, need := range needs {
			if slices.ContainsFunc(still, func(lack *ledgerv1.Lack) bool { return lack.Need == need }) {
				left = append(left, need)
				continue
			}
			for _, t := range s.talliesOf(s.Events[key]) {
				l := t.Lacks[need]
				l.Given++
				t.Lacks[need] = l
			}
		}
		if s.open[key] = left; len(left) == 0 {
			delete(s.open, key)
		}
	}
}

// talliesOf are those that count an event: of its hour, and of its agency from the beginning.
func (s *State) talliesOf(e *Event) []*Tally {
	p := period{notice.AgencyID(e.Source.Agency), notice.EventKind(e.Kind), e.AtMS / hourMS}
	if s.tallies[p] == nil {
		s.tallies[p] = &Tally{Lacks: map[string]LackTally{}}
	}
	if s.Totals[p.agency] == nil {
		s.Totals[p.agency] = &Tally{Lacks: map[string]LackTally{}}
	}
	return []*Tally{s.tallies[p], s.Totals[p.agency]}
}
