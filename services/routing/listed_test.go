package routing_test

import (
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// listedFor says whether the list of an area names a pupil whom an event reports.
func listedFor(w world, area, id string, named bool, edit func(*eventv1.Event)) bool {
	ev := missing(id)
	if edit != nil {
		edit(ev)
	}
	sub := subscribed("s", func(s *directoryv1.Subscription) { s.Area, s.List = area, true }).GetSubscription()
	return routing.Listed(sub, routing.Reported{Event: ev, Child: ev.Children[0], ID: notice.ChildID(id), Named: named}, w.Directory, w.Now)
}

func TestTheListOfAnAreaNamesChildrenWhoLiveThereAreLookedAfterByItOrWereReportedThere(t *testing.T) {
	elsewhere := func(ev *eventv1.Event) { ev.Area = kestrelVale }
	byRoll := func(ev *eventv1.Event) { ev.Area, ev.Children[0].ResidenceArea = kestrelVale, "" }
	for name, tc := range map[string]struct {
		area, child string
		edit        func(*eventv1.Event)
		want        bool
	}{
		"lives there, by the roll":              {ashmere, "ada", byRoll, true},
		"lives there, as published":             {ashmere, "ada", elsewhere, true},
		"in the police area around it":          {"E23000901", "ada", elsewhere, true},
		"lives elsewhere than the roll has it":  {kestrelVale, "ada", func(ev *eventv1.Event) { ev.Children[0].ResidenceArea = kestrelVale }, true},
		"neither lives there nor was there":     {kestrelVale, "ada", nil, false},
		"in another police area":                {"E23000902", "ada", nil, false},
		"is looked after by it":                 {kestrelVale, "ada", func(ev *eventv1.Event) { ev.Children[0].LookedAfterBy = kestrelVale }, true},
		"in the police area of who looks after": {"E23000902", "ada", func(ev *eventv1.Event) { ev.Children[0].LookedAfterBy = kestrelVale }, true},
		"was reported there":                    {ashmere, "kay", func(ev *eventv1.Event) { ev.Children[0].ResidenceArea = "" }, true},
		"lives elsewhere and was there":         {kestrelVale, "ada", elsewhere, true},
		"elsewhere altogether":                  {ashmere, "kay", byRoll, false},
		"an area of nobody":                     {"", "ada", nil, false},
		"on no roll":                            {ashmere, "zoe", func(ev *eventv1.Event) { ev.Children = children("ada") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := listedFor(newWorld(t, friday), tc.area, tc.child, false, tc.edit); got != tc.want {
				t.Errorf("listed %t, want %t", got, tc.want)
			}
		})
	}
}

func TestWhatKeepsAChildOffTheList(t *testing.T) {
	for name, tc := range map[string]struct {
		child string
		named bool
		edit  []*directoryv1.Row
		want  bool
	}{
		"nothing":                           {"ada", false, nil, true},
		"a protected location":              {"sol", false, nil, false},
		"a sealed identity":                 {"ada", false, []*directoryv1.Row{restricted("ada", "sealed_identity", "")}, false},
		"a bar on the subscriber":           {"ada", false, []*directoryv1.Row{restricted("ada", "barred_organisation", ashmereHealth)}, false},
		"a bar on its area":                 {"ada", false, []*directoryv1.Row{restricted("ada", "barred_area", ashmere)}, false},
		"a bar on the police area":          {"ada", false, []*directoryv1.Row{restricted("ada", "barred_area", "E23000901")}, false},
		"a court order that names nobody":   {"ada", false, []*directoryv1.Row{restricted("ada", "court_order", "")}, false},
		"a bar on somebody else":            {"ada", false, []*directoryv1.Row{restricted("ada", "barred_organisation", birch)}, true},
		"a seal on another of that name":    {"ali-1", false, []*directoryv1.Row{restricted("ali-2", "sealed_identity", "")}, false},
		"but where a person said who it is": {"ali-1", true, []*directoryv1.Row{restricted("ali-2", "sealed_identity", "")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := listedFor(newWorld(t, friday, having(tc.edit...)), ashmere, tc.child, tc.named, nil); got != tc.want {
				t.Errorf("listed %t, want %t", got, tc.want)
			}
		})
	}
}

func TestWhoTurnsEighteenIsOnNoListAnyMore(t *testing.T) {
	w := newWorld(t, "2026-11-12T12:00:00Z")
	if !listedFor(w, ashmere, "sam", false, nil) || listedFor(w.at("2026-11-13T12:00:00Z"), ashmere, "sam", false, nil) {
		t.Error("the birthday does not end it")
	}
}

func TestASubscriptionToTheListBringsNoNotices(t *testing.T) {
	list := subscribed("s", func(s *directoryv1.Subscription) { ofArea(s); s.List = true })
	if got := toSubscribers(newWorld(t, friday, having(list)).first(conference([]string{"ada"}))); len(got) > 0 {
		t.Errorf("told: %v", got)
	}
}

func TestAPlaceLiesInItsAreaAndInThePoliceAreaAroundIt(t *testing.T) {
	snapshot := newWorld(t, friday).Directory
	for _, tc := range []struct {
		place, area notice.Area
		want        bool
	}{
		{ashmere, ashmere, true}, {ashmere, "E23000901", true}, {ashmere, kestrelVale, false}, {ashmere, "E23000902", false},
		{"E23000901", ashmere, false}, {"E23000901", "E23000901", true}, {"E09000999", "E09000999", true}, {"", "", false}, {"E23000901", "", false},
	} {
		if got := snapshot.Within(tc.place, tc.area); got != tc.want {
			t.Errorf("%q within %q: %t, want %t", tc.place, tc.area, got, tc.want)
		}
	}
}
