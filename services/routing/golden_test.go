package routing_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const correction = ledgerv1.Cause_CAUSE_CORRECTION

// one decides a single event in the borough as it stands.
func one(at string, ev *eventv1.Event) func(testing.TB, *story) {
	return func(t testing.TB, s *story) { s.tell("At "+at, newWorld(t, at).first(ev)) }
}

func TestGolden(t *testing.T) {
	for name, tell := range map[string]func(testing.TB, *story){
		"01 school night":   one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "ada")),
		"02 siblings":       one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "ada", "ben", "cat", "dan")),
		"02 twins":          one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "tam", "tom")),
		"02 part time":      one("2026-11-03T18:00:00Z", incident("i", "2026-11-03T17:10:00Z", "eve")),
		"02 childminder":    one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "flo")),
		"03 august":         august,
		"03 moves school":   movesSchool,
		"04 one successor":  one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "elmo")),
		"04 two successors": twoSuccessors,
		"04 no successor":   one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "gus")),
		"05 not found":      one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "zed")),
		"05 two match":      one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "ali-1")),
		"05 contradiction":  one("2026-11-05T21:40:00Z", contradiction()),
		"05 no setting":     one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "nia")),
		"06 professional":   one("2026-11-06T09:05:00Z", referralDecided(referrer(true), "ada")),
		"06 public":         one("2026-11-06T09:05:00Z", referralDecided(referrer(false), "ada", "ben")),
		"06 received":       one("2026-11-05T10:05:00Z", referralReceived(referrer(true), "ada")),
		"07 strategy meeting concluded": one("2026-11-06T16:05:00Z", concluded([]string{"ada"},
			takesPart(ashmereCouncil, "local_authority", attended), takesPart(ashmerePolice, "police", attended),
			takesPart(ashmereHealth, "health", absent), takesPart("greenfinch-trust", "voluntary", absent))),
		"07 required function missing": one("2026-11-05T10:05:00Z", convened(true, []string{"ada"},
			takesPart(ashmereCouncil, "local_authority", invited), takesPart(ashmerePolice, "", invited), takesPart(alder, "school", invited))),
		"08 home area": one("2026-11-06T16:05:00Z", homeArea(kestrelVale)),
		"08 home area known to the directory alone": one("2026-11-06T16:05:00Z", homeArea("")),
		"08 conference":     one("2026-11-06T16:05:00Z", conference([]string{"ada"}, takesPart(ashmerePolice, "police", attended))),
		"09 the same again": theSameAgain,
		"09 a correction that changes one recipient": changesOne,
		"09 a correction that changes nothing":       changesNothing,
		"09 a correction that removes a child":       removesAChild,
		"10 october first":                           one("2026-10-25T00:30:00Z", incident("i", "2026-10-25T00:20:00Z", "ada")),
		"10 october again":                           one("2026-10-25T01:30:00Z", incident("i", "2026-10-25T01:20:00Z", "ada")),
		"10 march":                                   one("2026-03-29T00:30:00Z", incident("i", "2026-03-29T00:20:00Z", "ada")),
		"10 inset":                                   inset,
		"11 at ten":                                  one("2026-11-05T10:00:00Z", incident("i", "2026-11-05T09:50:00Z", "ada")),
		"11 at three":                                one("2026-11-05T15:00:00Z", incident("i", "2026-11-05T14:50:00Z", "ada")),
		"11 ten past three":                          one("2026-11-05T15:10:00Z", incident("i", "2026-11-05T14:50:00Z", "ada")),
		"11 minutes before the bell":                 one("2026-11-05T15:28:00Z", incident("i", "2026-11-05T14:50:00Z", "ada")),
		"12 restricted":                              one("2026-11-05T21:40:00Z", incident("i", "2026-11-05T21:10:00Z", "bex", "sol")),
		"12 not at the setting":                      notAtTheSetting,
		"12 text withheld":                           one("2026-11-06T09:05:00Z", tellTale()),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory()
			tell(t, s)
			path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(s.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), s.String()); diff != "" {
				t.Errorf("the decision has changed (go test -update, once you mean it):\n%s", diff)
			}
		})
	}
}

func contradiction() *eventv1.Event {
	ev := incident("i", "2026-11-05T21:10:00Z", "tam")
	ev.Children[0].Identifiers = []*eventv1.Identifier{{Scheme: "nhs", Value: "9990000018"}} // Ada's
	return ev
}

func homeArea(published string) *eventv1.Event {
	ev := enquiry([]string{"kay"}, takesPart(ashmereCouncil, "local_authority", attended), takesPart(ashmerePolice, "police", attended))
	ev.Children[0].ResidenceArea = published
	return ev
}

func tellTale() *eventv1.Event {
	ev := referralDecided(referrer(true), "ada", "ben")
	ev.GetReferralDecided().NextStep = "Ben is to be seen first."
	return ev
}

func august(t testing.TB, s *story) {
	w := newWorld(t, "2026-08-14T22:00:00Z")
	ev := incident("i", "2026-08-14T21:30:00Z", "kit")
	d := w.first(ev)
	s.tell("Friday 23:00 in August", d)
	s.tell("The notice before term", w.beforeTerm(d, ev))
}

func movesSchool(t testing.TB, s *story) {
	w := newWorld(t, "2026-08-14T22:00:00Z")
	ev := incident("i", "2026-08-14T21:30:00Z", "mo")
	d := w.first(ev)
	s.tell("In August, at the school that the child leaves", d)
	s.tell("The notice before term, at the school that the child will attend", w.beforeTerm(d, ev))
	s.tell("The same event after the move", newWorld(t, "2026-09-07T20:00:00Z").first(ev))
}

// beforeTerm decides about the first notice before term to which a decision about one event contributes.
func (w world) beforeTerm(d *ledgerv1.Decision, ev *eventv1.Event) *ledgerv1.Decision {
	r := routing.Round{Lineage: d.Contributions[0].Lineage, Number: 1, Cause: ledgerv1.Cause_CAUSE_EVENT}
	return routing.DecideBeforeTerm([]routing.Incident{{Contribution: d.Contributions[0], Events: sources([]*eventv1.Event{ev})}}, r, w.Facts)
}

func twoSuccessors(t testing.TB, s *story) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	ev := incident("i", "2026-11-05T21:10:00Z", "fira")
	d := w.first(ev)
	s.tell("Two successors", d)
	r := resolved(next(ledgerv1.Cause_CAUSE_TASK, d))
	r.Chosen = map[notice.ChildID][]notice.OrgID{"fira": {birch}}
	s.tell("Once a person has chosen", w.decide(r, ev))
}

func theSameAgain(t testing.TB, s *story) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	ev := incident("i", "2026-11-05T21:10:00Z", "ada", "ben", "zed")
	d := w.first(ev)
	s.tell("First", d)
	s.tell("Again", w.at("2026-11-05T22:40:00Z").decide(next(ledgerv1.Cause_CAUSE_EVENT, d), ev))
}

func changesOne(t testing.TB, s *story) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	ev := incident("i", "2026-11-05T21:10:00Z", "ada", "cat")
	d := w.first(ev)
	s.tell("First", d)
	corrected := proto.CloneOf(ev)
	corrected.Id, corrected.Supersedes = "i-2", "i"
	corrected.Children[0].Presence = eventv1.Presence_PRESENCE_NOT_PRESENT
	s.tell("Ada was not there", w.at("2026-11-05T22:40:00Z").decide(next(correction, d), corrected))
}

func changesNothing(t testing.TB, s *story) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	ev := incident("i", "2026-11-05T21:10:00Z", "ada", "cat")
	d := w.first(ev)
	s.tell("First", d)
	corrected := proto.CloneOf(ev)
	corrected.Id, corrected.Supersedes = "i-2", "i"
	corrected.Children[0].Address = &eventv1.Address{Lines: []string{"1 Heron Row"}, Postcode: "ZZ1 1ZZ"}
	s.tell("Only the address, which nobody is told", w.at("2026-11-05T22:40:00Z").decide(next(correction, d), corrected))
}

func removesAChild(t testing.TB, s *story) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	d := w.first(incident("i", "2026-11-05T21:10:00Z", "ada", "ben", "zed"))
	s.tell("First", d)
	s.tell("Only Ada", w.at("2026-11-05T22:40:00Z").decide(next(correction, d), incident("i-2", "2026-11-05T21:10:00Z", "ada")))
}

func notAtTheSetting(t testing.TB, s *story) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	ev := incident("i", "2026-11-05T21:10:00Z", "ben")
	d := w.first(ev)
	s.tell("Two schools", d)
	r := next(ledgerv1.Cause_CAUSE_NOT_AT_SETTING, d)
	r.NotAt = map[notice.ChildID]map[notice.OrgID]bool{"ben": {birch: true}}
	d2 := w.decide(r, ev)
	s.tell("One says that the child is not there", d2)
	r = resolved(next(ledgerv1.Cause_CAUSE_TASK, d, d2))
	r.NotAt = map[notice.ChildID]map[notice.OrgID]bool{"ben": {birch: true}}
	r.Chosen = map[notice.ChildID][]notice.OrgID{"ben": {alder}}
	s.tell("A person finds the right one; the second school stands", w.decide(r, ev))
}

// pupilAt is a row of a pupil of the borough with other enrolments.
func pupilAt(id string, at ...*directoryv1.Enrolment) *directoryv1.Row {
	for _, p := range pupils() {
		if p.id == id {
			p.at = at
			return p.row()
		}
	}
	panic("no pupil " + id)
}

func inset(t testing.TB, s *story) {
	w := newWorld(t, "2026-11-05T21:40:00Z", having(pupilAt("nia", enrolled(birch))))
	s.tell("Thursday night; Friday is an INSET day of this school alone", w.first(incident("i", "2026-11-05T21:10:00Z", "nia", "ada")))
}
