package routing_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

const friday = "2026-11-06T17:00:00Z" // the conference is over

// subscribed is a subscription of the health trust that stands for the whole of 2026; edit changes it.
func subscribed(id string, edit func(*directoryv1.Subscription)) *directoryv1.Row {
	s := &directoryv1.Subscription{
		Id: id, Agency: "ashmere-health", Organisation: ashmereHealth, Basis: "children_act_2004_s10", Authoriser: "director",
		GrantedBy: "operator:test", FromMs: instant("2026-01-01T00:00:00Z").UnixMilli(), UntilMs: instant("2027-01-01T00:00:00Z").UnixMilli(),
	}
	edit(s)
	return directory.SubscriptionRow(s)
}

func ofArea(s *directoryv1.Subscription) { s.Area = ashmere }

// toSubscribers are the notices that follow from subscriptions, as "subscription organisation child".
func toSubscribers(d *ledgerv1.Decision) []string {
	told := []string{}
	for _, n := range d.Notices {
		if n.Rule == "outcome.subscriber" {
			told = append(told, n.Subscription+" "+n.Organisation+" "+n.Child)
		}
	}
	slices.Sort(told)
	return told
}

func TestASubscriptionCountsWhereAllThatItNamesFits(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*directoryv1.Subscription)
		want []string
	}{
		{"the area where the child lives", ofArea, []string{"s ashmere-health ada"}},
		{"the police area around it", func(s *directoryv1.Subscription) { s.Area = "E23000901" }, []string{"s ashmere-health ada"}},
		{"another area", func(s *directoryv1.Subscription) { s.Area = kestrelVale }, []string{}},
		{"the child", func(s *directoryv1.Subscription) { s.Child = "ada" }, []string{"s ashmere-health ada"}},
		{"another child", func(s *directoryv1.Subscription) { s.Child = "ben" }, []string{}},
		{"the child, in another area", func(s *directoryv1.Subscription) { s.Child, s.Area = "ada", kestrelVale }, []string{}},
		{"the matter", func(s *directoryv1.Subscription) {
			s.Matter = &directoryv1.Matter{Agency: "ashmere-council", Reference: "CC-1"}
		}, []string{"s ashmere-health ada"}},
		{"the reference of another agency", func(s *directoryv1.Subscription) {
			s.Matter = &directoryv1.Matter{Agency: "ashmere-police", Reference: "CC-1"}
		}, []string{}},
		{"nothing at all", func(*directoryv1.Subscription) {}, []string{}},
		{"this kind", func(s *directoryv1.Subscription) {
			ofArea(s)
			s.Kinds = []string{"enquiry.concluded", "conference.concluded"}
		}, []string{"s ashmere-health ada"}},
		{"another kind", func(s *directoryv1.Subscription) { ofArea(s); s.Kinds = []string{"enquiry.concluded"} }, []string{}},
		{"another basis", func(s *directoryv1.Subscription) { ofArea(s); s.Basis = "children_act_1989_s47" }, []string{}},
		{"only asked for", func(s *directoryv1.Subscription) { ofArea(s); s.GrantedBy = "" }, []string{}},
		{"not begun", func(s *directoryv1.Subscription) { ofArea(s); s.FromMs = instant(friday).UnixMilli() + 1 }, []string{}},
		{"begun at this instant", func(s *directoryv1.Subscription) { ofArea(s); s.FromMs = instant(friday).UnixMilli() }, []string{"s ashmere-health ada"}},
		{"over at this instant", func(s *directoryv1.Subscription) { ofArea(s); s.UntilMs = instant(friday).UnixMilli() }, []string{}},
		{"ended", func(s *directoryv1.Subscription) { ofArea(s); s.EndedMs = instant("2026-03-01T00:00:00Z").UnixMilli() }, []string{}},
		{"of an agency that was removed", func(s *directoryv1.Subscription) { ofArea(s); s.Agency = "ashmere-removed" }, []string{}},
		{"of an agency that acts for another organisation by now", func(s *directoryv1.Subscription) { ofArea(s); s.Organisation = "kestrel-vale-council" }, []string{}},
		{"of the publisher itself", func(s *directoryv1.Subscription) {
			ofArea(s)
			s.Agency, s.Organisation = "ashmere-council", ashmereCouncil
		}, []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newWorld(t, friday, having(subscribed("s", tc.edit))).first(conference([]string{"ada"}))
			if diff := cmp.Diff(tc.want, toSubscribers(d)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASubscribersNoticeGoesToItsInboxFirstAndRestsOnTheSubscription(t *testing.T) {
	d := newWorld(t, friday, having(subscribed("s", ofArea))).first(conference([]string{"ada"}))
	i := slices.IndexFunc(d.Notices, func(n *ledgerv1.Notice) bool { return n.Subscription == "s" })
	if i < 0 {
		t.Fatalf("no notice follows from the subscription: %v", d.Notices)
	}
	n := d.Notices[i]
	want := []*ledgerv1.Link{
		{Organisation: ashmereHealth, Roles: []string{"inbox"}, Contact: "inbox:ashmere-health"},
		{Organisation: ashmereHealth, Roles: []string{"desk", "duty"}, OffsetMinutes: 240},
	}
	if diff := cmp.Diff(want, n.Chain, protocmp.Transform()); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	if n.Basis != "children_act_2004_s10" || n.View != "outcome" {
		t.Errorf("basis %s, view %s", n.Basis, n.View)
	}
}

func TestWhereTheChildLivesIsKeptWithANoticeOnlyWhereTheSubscriptionIsToAnArea(t *testing.T) {
	for home, sub := range map[string]func(*directoryv1.Subscription){
		ashmere: func(s *directoryv1.Subscription) { s.Area = "E23000901" },
		"":      func(s *directoryv1.Subscription) { s.Child = "ada" },
	} {
		for _, n := range newWorld(t, friday, having(subscribed("s", sub))).first(conference([]string{"ada"})).Notices {
			if n.HomeArea != home && n.Subscription == "s" || n.HomeArea != "" && n.Subscription == "" {
				t.Errorf("%s of subscription %q keeps %q, want %q", n.Rule, n.Subscription, n.HomeArea, home)
			}
		}
	}
}

func TestTwoSubscriptionsOfAnAgencyTellItOnceByTheOneThatLastsLonger(t *testing.T) {
	longer := subscribed("z-longer", func(s *directoryv1.Subscription) { s.Child = "ada"; s.UntilMs++ })
	d := newWorld(t, friday, having(subscribed("a", ofArea), longer)).first(conference([]string{"ada"}))
	if diff := cmp.Diff([]string{"z-longer ashmere-health ada"}, toSubscribers(d)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestASealedChildIsToldToNoSubscriberAndAnsweredAsAnUnknownOne(t *testing.T) {
	everything := having(
		directory.AgencyRow(&directoryv1.Agency{Id: "b", Organisation: ashmereHealth}), directory.AgencyRow(&directoryv1.Agency{Id: "c", Organisation: ashmereHealth}),
		subscribed("area", func(s *directoryv1.Subscription) { s.Area = ashmere }),
		subscribed("child", func(s *directoryv1.Subscription) { s.Child = "sol"; s.Agency = "b" }),
		subscribed("matter", func(s *directoryv1.Subscription) {
			s.Matter, s.Agency = &directoryv1.Matter{Agency: "ashmere-council", Reference: "CC-1"}, "c"
		}),
	)
	ev := conference([]string{"sol"})
	sealed := newWorld(t, friday, everything).first(ev)
	unknown := newWorld(t, friday, everything, without(directory.KindChild, "sol"), without(directory.KindRestriction, "sol/protected_location/")).first(ev)
	if diff := cmp.Diff(unknown, sealed, protocmp.Transform()); diff != "" {
		t.Errorf("unknown and sealed differ:\n%s", diff)
	}
	if diff := cmp.Diff([]string{}, toSubscribers(sealed)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	open := newWorld(t, friday, everything, without(directory.KindRestriction, "sol/protected_location/")).first(ev)
	if want := []string{"area ashmere-health sol", "child ashmere-health sol", "matter ashmere-health sol"}; !slices.Equal(want, toSubscribers(open)) {
		t.Errorf("told of the same child without the seal: %v, want %v", toSubscribers(open), want)
	}
}

func TestARestrictionBeatsASubscriptionAndAsksNobody(t *testing.T) {
	bars := restricted("ada", "barred_organisation", ashmereHealth)
	d := newWorld(t, friday, having(subscribed("s", ofArea), bars)).first(conference([]string{"ada"}))
	if diff := cmp.Diff([]string{}, toSubscribers(d)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	for _, g := range d.Gaps {
		if g.Rule == "outcome.subscriber" {
			t.Errorf("a gap: %v", g)
		}
	}
}
