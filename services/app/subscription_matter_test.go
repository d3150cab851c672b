package app_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestASubscriptionToAMatterTellsOfThatMatterAlone(t *testing.T) {
	r, council, health := weekday(t)
	r.AddAgency("ashmere-youth-justice", "ashmere-youth-justice")
	of := func(agency, reference string) string {
		return health.asks(&subscriptionv1.RequestRequest{Matter: &directoryv1.Matter{Agency: agency, Reference: reference}})
	}
	until := r.Clock.Now().Add(24 * time.Hour)
	must(t, grant(r, of("ashmere-social-care", "CC-1"), until))
	must(t, grant(r, of("ashmere-youth-justice", "CC-2"), until)) // the same reference is another agency's matter
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	council.Publish(outcome(council, "CC-2", r.Clock.Now(), ivo()))
	review := outcome(council, "CC-1", r.Clock.Now(), ivo(), apptest.Child("c2", "Orla", "Quint", "2015-01-30"))
	review.Id, review.Supersedes = "ev-CC-1-corrected", "ev-CC-1"
	r.Settle()
	equal(t, "told", said(health.read("")), []string{"STATE_BEGAN", "STATE_BEGAN", "CC-1"})

	council.Publish(review) // the sibling, left out at first, is of the matter too
	r.Settle()
	var children []string
	for _, item := range health.read("")[3:] {
		children = append(children, item.GetNotice().GetEvents()[0].GetSubject()+" "+item.GetNotice().GetEvents()[0].GetChildren()[0].GetName().GetGiven())
	}
	equal(t, "told of the correction", children, []string{"CC-1 Orla"})
	r.Verify()
}

func TestASubscriptionThatAFileGivesAndNoRuleTellsIsABadRow(t *testing.T) {
	r, council, health := weekday(t)
	file := func(kinds, basis string) []byte {
		return []byte("id,agency,organisation,kinds,area,basis,authoriser,from,until,review_on\n" +
			"S-1,ashmere-health,ashmere-health," + kinds + "," + apptest.Ashmere + "," + basis + ",Director of Children's Services,2026-06-01,2027-06-01,2026-12-01\n")
	}
	columns := func(kinds, basis string) []string {
		result := r.Import(&directoryv1.ImportHeader{Format: "subscriptions", Name: "subscriptions.csv"}, file(kinds, basis))
		faulty := []string{}
		for _, f := range result.Faults {
			faulty = append(faulty, f.GetColumn())
		}
		return faulty
	}
	const basis = "children_act_2004_s10"
	told, untold := string(notice.ConferenceConcluded), string(notice.EncompassIncident)
	got := map[string][]string{
		"a kind without a rule":         columns(untold, basis),
		"one of two kinds without":      columns(told+";"+untold, basis),
		"a basis that no rule tells on": columns("", "domestic_abuse_act_2021_s49a"),
	}
	if diff := cmp.Diff(map[string][]string{
		"a kind without a rule": {"kinds"}, "one of two kinds without": {"kinds"}, "a basis that no rule tells on": {"basis"},
	}, got); diff != "" {
		t.Errorf("bad columns (-want +got):\n%s", diff)
	}
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "told by none of them", said(health.read("")), []string{})

	equal(t, "a kind with a rule", columns(told, basis), []string{})
	council.Publish(outcome(council, "CC-2", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "told", said(health.read("")), []string{"STATE_BEGAN", "CC-2"})
	r.Verify()
}
