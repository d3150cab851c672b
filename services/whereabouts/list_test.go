package whereabouts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/whereabouts"
)

// June is an instant in June 2026: the day and the hour.
func june(day, hour int) time.Time { return time.Date(2026, time.June, day, hour, 0, 0, 0, time.UTC) }

func stamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

// report is an event about one child, reported at an instant. A child whose key begins with "?" is nobody known.
func report(id, reference, child string, at time.Time, payload func(*eventv1.Event)) whereabouts.Report {
	ev := &eventv1.Event{Id: id, Source: "police", Subject: reference, Time: stamp(at), Children: []*eventv1.Child{{Ref: "c1"}}}
	payload(ev)
	return whereabouts.Report{Body: ev, Kids: map[string]whereabouts.Kid{"c1": {Key: child, Known: !strings.HasPrefix(child, "?")}}}
}

func missing(seen time.Time) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Payload = &eventv1.Event_MissingReported{MissingReported: &eventv1.MissingReported{LastSeenAt: stamp(seen)}}
	}
}

func found(at time.Time) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{FoundAt: stamp(at)}}
	}
}

func interview(returned, at time.Time, outcome eventv1.InterviewOutcome) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Payload = &eventv1.Event_ReturnInterviewCompleted{ReturnInterviewCompleted: &eventv1.ReturnInterviewCompleted{
			ReturnedAt: stamp(returned), CompletedAt: stamp(at), Outcome: outcome,
		}}
	}
}

func protected(began time.Time) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Payload = &eventv1.Event_PoliceProtectionExercised{PoliceProtectionExercised: &eventv1.PoliceProtectionExercised{
			BeganAt: stamp(began), EndsBy: stamp(began.Add(72 * time.Hour)),
		}}
	}
}

func unprotected(began, ended time.Time) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Payload = &eventv1.Event_PoliceProtectionEnded{PoliceProtectionEnded: &eventv1.PoliceProtectionEnded{BeganAt: stamp(began), EndedAt: stamp(ended)}}
	}
}

func detained(at time.Time) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Payload = &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{DetainedAt: stamp(at)}}
	}
}

func released(detained, at time.Time) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.Payload = &eventv1.Event_CustodyReleased{CustodyReleased: &eventv1.CustodyReleased{
			DetainedAt: stamp(detained), ReleasedAt: stamp(at), Outcome: eventv1.CustodyOutcome_CUSTODY_OUTCOME_BAILED,
		}}
	}
}

// lines says each episode in a line: what, whom, from when to when, and how the interview stands.
func lines(episodes []*whereabouts.Episode) []string {
	day := func(ms int64) string {
		if ms == 0 {
			return "?"
		}
		return time.UnixMilli(ms).UTC().Format("2/15h")
	}
	out := []string{}
	for _, e := range episodes {
		line := fmt.Sprintf("%s %s %s-%s", strings.ToLower(strings.TrimPrefix(e.Kind.String(), "EPISODE_KIND_")), e.Child, day(e.BeganMs), day(e.EndedMs))
		if e.Interview != 0 {
			line += fmt.Sprintf(", interview %s %s", strings.ToLower(strings.TrimPrefix(e.Interview.String(), "INTERVIEW_")), day(e.InterviewMs))
		}
		out = append(out, line)
	}
	return out
}

func TestTheListOfADay(t *testing.T) {
	const held, declined = eventv1.InterviewOutcome_INTERVIEW_OUTCOME_HELD, eventv1.InterviewOutcome_INTERVIEW_OUTCOME_DECLINED
	asOf := june(20, 12)
	for name, tc := range map[string]struct {
		reports []whereabouts.Report
		want    []string
	}{
		"nothing": {want: []string{}},
		"missing, and not found: however long ago": {
			reports: []whereabouts.Report{report("1", "M1", "a", june(1, 9), missing(june(1, 8)))}, want: []string{"missing a 1/08h-?"},
		},
		"found within the fortnight; the interview has time": {
			reports: []whereabouts.Report{report("1", "M1", "a", june(18, 9), missing(june(18, 8))), report("2", "M1", "a", june(19, 9), found(june(19, 8)))},
			want:    []string{"missing a 18/08h-19/08h, interview due 22/08h"},
		},
		"nobody offered an interview in 72 hours": {
			reports: []whereabouts.Report{report("1", "M1", "a", june(15, 9), missing(june(15, 8))), report("2", "M1", "a", june(16, 9), found(june(16, 8)))},
			want:    []string{"missing a 15/08h-16/08h, interview overdue 19/08h"},
		},
		"the interview, under a reference of another agency": {
			reports: []whereabouts.Report{
				report("1", "M1", "a", june(15, 9), missing(june(15, 8))), report("2", "M1", "a", june(16, 9), found(june(16, 8))),
				report("3", "R7", "a", june(18, 9), interview(june(16, 8), june(18, 8), held)),
			},
			want: []string{"missing a 15/08h-16/08h, interview held 18/08h"},
		},
		"declined": {
			reports: []whereabouts.Report{
				report("1", "M1", "a", june(15, 9), missing(june(15, 8))), report("2", "M1", "a", june(16, 9), found(june(16, 8))),
				report("3", "M1", "a", june(18, 9), interview(june(16, 8), june(18, 8), declined)),
			},
			want: []string{"missing a 15/08h-16/08h, interview declined 18/08h"},
		},
		"found before the fortnight began": {
			reports: []whereabouts.Report{report("1", "M1", "a", june(1, 9), missing(june(1, 8))), report("2", "M1", "a", june(2, 9), found(june(2, 8)))},
			want:    []string{},
		},
		"found after the day of the list: missing then": {
			reports: []whereabouts.Report{report("1", "M1", "a", june(19, 9), missing(june(19, 8))), report("2", "M1", "a", june(21, 9), found(june(20, 11)))},
			want:    []string{"missing a 19/08h-?"},
		},
		"the end is published before the beginning": {
			reports: []whereabouts.Report{report("2", "M1", "a", june(19, 9), found(june(19, 8))), report("1", "M1", "a", june(19, 10), missing(june(18, 8)))},
			want:    []string{"missing a 18/08h-19/08h, interview due 22/08h"},
		},
		"missing again under the same reference, the first return published last": {
			reports: []whereabouts.Report{
				report("1", "M1", "a", june(15, 9), missing(june(15, 8))), report("3", "M1", "a", june(18, 9), missing(june(18, 8))),
				report("2", "M1", "a", june(18, 10), found(june(16, 8))),
			},
			want: []string{"missing a 18/08h-?", "missing a 15/08h-16/08h, interview overdue 19/08h"},
		},
		"told twice that one child is missing": {
			reports: []whereabouts.Report{
				report("1", "M1", "a", june(18, 9), missing(june(18, 8))), report("2", "M1", "a", june(18, 11), missing(june(18, 10))),
				report("3", "M1", "a", june(19, 9), found(june(19, 8))),
			},
			want: []string{"missing a 18/08h-19/08h, interview due 22/08h"},
		},
		"detained again under the same reference": {
			reports: []whereabouts.Report{report("1", "C1", "a", june(10, 9), detained(june(10, 8))), report("2", "C1", "a", june(16, 9), detained(june(16, 8)))},
			want:    []string{"custody a 16/08h-?", "custody a 10/08h-?"},
		},
		"an end that nothing began": {
			reports: []whereabouts.Report{report("2", "M1", "a", june(19, 9), found(june(19, 8)))}, want: []string{"missing a ?-19/08h, interview due 22/08h"},
		},
		"twice missing": {
			reports: []whereabouts.Report{
				report("1", "M1", "a", june(15, 9), missing(june(15, 8))), report("2", "M1", "a", june(16, 9), found(june(16, 8))),
				report("3", "M2", "a", june(19, 9), missing(june(19, 8))),
			},
			want: []string{"missing a 19/08h-?", "missing a 15/08h-16/08h, interview overdue 19/08h"},
		},
		"reported missing by two, and found by one": {
			reports: []whereabouts.Report{
				report("1", "M1", "a", june(18, 9), missing(june(18, 8))), report("2", "X9", "a", june(18, 10), missing(june(18, 9))),
				report("3", "X9", "a", june(19, 9), found(june(19, 8))),
			},
			want: []string{"missing a 18/09h-19/08h, interview due 22/08h", "missing a 18/08h-19/08h, interview due 22/08h"},
		},
		"a child nobody knows, found under the same reference": {
			reports: []whereabouts.Report{report("1", "M1", "?1", june(18, 9), missing(june(18, 8))), report("2", "M1", "?2", june(19, 9), found(june(19, 8)))},
			want:    []string{"missing ?1 18/08h-19/08h, interview due 22/08h"},
		},
		"two children nobody knows are not one": {
			reports: []whereabouts.Report{report("1", "M1", "?1", june(18, 9), missing(june(18, 8))), report("2", "M2", "?1", june(19, 9), found(june(19, 8)))},
			want:    []string{"missing ?1 ?-19/08h, interview due 22/08h", "missing ?1 18/08h-?"},
		},
		"police protection, ended and by law": {
			reports: []whereabouts.Report{
				report("1", "P1", "a", june(18, 9), protected(june(18, 8))), report("2", "P1", "a", june(19, 9), unprotected(june(18, 8), june(19, 8))),
				report("3", "P2", "b", june(5, 9), protected(june(4, 8))), report("4", "P3", "c", june(1, 9), protected(june(1, 8))),
			},
			want: []string{"police_protection a 18/08h-19/08h", "police_protection b 4/08h-?"},
		},
		"detained within the fortnight, and before": {
			reports: []whereabouts.Report{report("1", "C1", "a", june(18, 9), detained(june(18, 8))), report("2", "C2", "b", june(1, 9), detained(june(1, 8)))},
			want:    []string{"custody a 18/08h-?"},
		},
		"released": {
			reports: []whereabouts.Report{report("1", "C1", "a", june(18, 9), detained(june(18, 8))), report("2", "C1", "a", june(19, 9), released(june(18, 8), june(19, 8)))},
			want:    []string{"custody a 18/08h-19/08h"},
		},
		"released, which is published before the detention": {
			reports: []whereabouts.Report{report("2", "C1", "a", june(19, 9), released(june(18, 8), june(19, 8))), report("1", "C1", "a", june(19, 10), detained(june(18, 8)))},
			want:    []string{"custody a 18/08h-19/08h"},
		},
		"released by another force, and certainly the child": {
			reports: []whereabouts.Report{report("1", "C1", "a", june(18, 9), detained(june(18, 8))), report("2", "X9", "a", june(19, 9), released(june(18, 8), june(19, 8)))},
			want:    []string{"custody a 18/08h-19/08h"},
		},
		"released under another reference, a child nobody knows": {
			reports: []whereabouts.Report{report("1", "C1", "?1", june(18, 9), detained(june(18, 8))), report("2", "C2", "?1", june(19, 9), released(june(18, 8), june(19, 8)))},
			want:    []string{"custody ?1 18/08h-?", "custody ?1 18/08h-19/08h"},
		},
		"released later than the law lets police hold a child": {
			reports: []whereabouts.Report{report("1", "C1", "a", june(5, 9), detained(june(5, 8))), report("2", "C1", "a", june(11, 9), released(june(5, 8), june(11, 8)))},
			want:    []string{"custody a 5/08h-11/08h"},
		},
		"a release of which nobody reported the detention": {
			reports: []whereabouts.Report{report("2", "C1", "a", june(19, 9), released(june(18, 8), june(19, 8)))}, want: []string{"custody a 18/08h-19/08h"},
		},
		"a release told twice": {
			reports: []whereabouts.Report{
				report("1", "C1", "a", june(18, 9), detained(june(18, 8))), report("2", "C1", "a", june(19, 9), released(june(18, 8), june(19, 8))),
				report("3", "C1", "a", june(19, 11), released(june(18, 8), june(19, 8))),
			},
			want: []string{"custody a 18/08h-19/08h"},
		},
		"released and detained again under the same reference": {
			reports: []whereabouts.Report{
				report("1", "C1", "a", june(18, 9), detained(june(18, 8))), report("2", "C1", "a", june(19, 9), released(june(18, 8), june(19, 8))),
				report("3", "C1", "a", june(20, 9), detained(june(20, 8))),
			},
			want: []string{"custody a 20/08h-?", "custody a 18/08h-19/08h"},
		},
		"two releases under the same reference, and only the first detention was reported": {
			reports: []whereabouts.Report{
				report("1", "C1", "a", june(15, 9), detained(june(15, 8))), report("2", "C1", "a", june(16, 9), released(june(15, 8), june(16, 8))),
				report("3", "C1", "a", june(19, 9), released(june(18, 8), june(19, 8))),
			},
			want: []string{"custody a 18/08h-19/08h", "custody a 15/08h-16/08h"},
		},
		"a release says nothing of an earlier detention that nobody ended": {
			reports: []whereabouts.Report{
				report("1", "C1", "a", june(8, 9), detained(june(8, 8))), report("2", "C2", "a", june(18, 9), detained(june(18, 8))),
				report("3", "C2", "a", june(19, 9), released(june(18, 8), june(19, 8))),
			},
			want: []string{"custody a 18/08h-19/08h", "custody a 8/08h-?"},
		},
		"nor does the end of police protection": {
			reports: []whereabouts.Report{
				report("1", "P1", "a", june(8, 9), protected(june(8, 8))), report("2", "P2", "a", june(18, 9), protected(june(18, 8))),
				report("3", "P2", "a", june(19, 9), unprotected(june(18, 8), june(19, 8))),
			},
			want: []string{"police_protection a 18/08h-19/08h", "police_protection a 8/08h-?"},
		},
		"released before the fortnight began, and a detention over by then that nobody ended": {
			reports: []whereabouts.Report{
				report("1", "C1", "a", june(4, 9), detained(june(4, 8))), report("2", "C1", "a", june(5, 9), released(june(4, 8), june(5, 8))),
				report("3", "C2", "b", june(2, 9), detained(june(2, 8))), report("4", "C3", "c", june(3, 9), detained(june(3, 8))),
			},
			want: []string{"custody c 3/08h-?"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, lines(whereabouts.List(tc.reports, asOf.AddDate(0, 0, -14), asOf))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Without a word of the release a detention is taken for over when the law says so, and no earlier: until then the child may
// still be held.
func TestADetentionThatNobodyEndsIsTakenForOverAfterNinetySixHours(t *testing.T) {
	reports := []whereabouts.Report{
		report("1", "C1", "a", june(18, 9), detained(june(18, 8))), report("2", "C1", "a", june(18, 12), detained(june(18, 11))),
		report("3", "C2", "b", june(18, 9), detained(june(18, 8))), report("4", "C2", "b", june(19, 9), released(june(18, 8), june(19, 8))),
	}
	var got []string
	for _, e := range whereabouts.List(reports, june(6, 12), june(20, 12)) {
		got = append(got, fmt.Sprintf("%s from %s, over by %s at the latest", e.Child, time.UnixMilli(e.BeganMs).UTC(), time.UnixMilli(e.EndsByMs).UTC()))
	}
	want := []string{
		"a from 2026-06-18 08:00:00 +0000 UTC, over by 2026-06-22 11:00:00 +0000 UTC at the latest", // as the later report has it
		"b from 2026-06-18 08:00:00 +0000 UTC, over by 2026-06-22 08:00:00 +0000 UTC at the latest",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// In whatever order reports are read, and whatever is reported later, the list of a day is the same; and a child whom
// nobody reported found, or released, by then is on it.
func TestTheListOfADayIsTheSameWheneverItIsAskedFor(t *testing.T) {
	asOf := june(20, 12)
	rapid.Check(t, func(rt *rapid.T) {
		var reports []whereabouts.Report
		lastFound := map[string]time.Time{}
		lastSeen := map[string]time.Time{}
		lastHeld := map[string]time.Time{}
		lastReleased := map[string]time.Time{}
		for i := range rapid.IntRange(0, 12).Draw(rt, "reports") {
			child := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "child")
			at := june(rapid.IntRange(1, 28).Draw(rt, "day"), rapid.IntRange(0, 23).Draw(rt, "hour"))
			reference := fmt.Sprintf("M%d", rapid.IntRange(0, 3).Draw(rt, "reference"))
			switch rapid.SampledFrom([]string{"found", "missing", "detained", "released"}).Draw(rt, "what") {
			case "found":
				reports = append(reports, report(fmt.Sprint(i), reference, child, at, found(at)))
				if !at.After(asOf) && at.After(lastFound[child]) {
					lastFound[child] = at
				}
			case "missing":
				reports = append(reports, report(fmt.Sprint(i), reference+fmt.Sprint(i), child, at, missing(at)))
				if !at.After(asOf) && at.After(lastSeen[child]) {
					lastSeen[child] = at
				}
			case "detained":
				reports = append(reports, report(fmt.Sprint(i), reference+child, child, at, detained(at)))
				if !at.After(asOf) && at.After(lastHeld[child]) {
					lastHeld[child] = at
				}
			case "released":
				held := at.Add(-time.Duration(rapid.IntRange(1, 120).Draw(rt, "hours")) * time.Hour)
				reports = append(reports, report(fmt.Sprint(i), reference+child, child, at, released(held, at)))
				if !at.After(asOf) && at.After(lastReleased[child]) {
					lastReleased[child] = at
				}
			}
		}
		since := asOf.AddDate(0, 0, -14)
		list := whereabouts.List(reports, since, asOf)
		shuffled := rapid.Permutation(reports).Draw(rt, "order")
		if diff := cmp.Diff(list, whereabouts.List(shuffled, since, asOf), protocmp.Transform()); diff != "" {
			rt.Errorf("in another order:\n%s", diff)
		}
		known := slices.DeleteFunc(slices.Clone(reports), func(r whereabouts.Report) bool { return r.Body.Time.AsTime().After(asOf) })
		if diff := cmp.Diff(list, whereabouts.List(known, since, asOf), protocmp.Transform()); diff != "" {
			rt.Errorf("without what came later:\n%s", diff)
		}
		for child, seen := range lastSeen {
			if seen.After(lastFound[child]) && !slices.ContainsFunc(list, func(e *whereabouts.Episode) bool {
				return e.Child == child && e.Kind == ledgerv1.EpisodeKind_EPISODE_KIND_MISSING && e.EndedMs == 0
			}) {
				rt.Errorf("%s is missing and not on the list: %v", child, lines(list))
			}
		}
		for child, held := range lastHeld {
			if held.After(lastReleased[child]) && held.After(asOf.Add(-96*time.Hour)) && !slices.ContainsFunc(list, func(e *whereabouts.Episode) bool {
				return e.Child == child && e.Kind == ledgerv1.EpisodeKind_EPISODE_KIND_CUSTODY && e.EndedMs == 0 && e.EndsByMs > asOf.UnixMilli()
			}) {
				rt.Errorf("%s may still be held and is not on the list: %v", child, lines(list))
			}
		}
	})
}
