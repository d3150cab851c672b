package routing_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const reply = ledgerv1.Cause_CAUSE_REPLY

func needed() []*eventv1.Participant {
	return []*eventv1.Participant{
		takesPart(ashmereCouncil, "local_authority", invited), takesPart(ashmerePolice, "police", invited), takesPart(ashmereHealth, "health", invited),
	}
}

func to(d *ledgerv1.Decision, organisation string) []*ledgerv1.Notice {
	return slices.DeleteFunc(slices.Clone(d.Notices), func(n *ledgerv1.Notice) bool { return n.Organisation != organisation })
}

func TestAnInvitationSaysWhenTheMeetingIsAndWhatItWouldRepresent(t *testing.T) {
	// Health is invited twice, the second time in a function that nobody requires; the council twice in required ones.
	who := append(needed(), takesPart(ashmereHealth, "midwifery", invited), takesPart(ashmereCouncil, "health", invited), takesPart(alder, "school", invited))
	d := newWorld(t, "2026-11-04T10:05:00Z").first(convened(false, []string{"ada"}, who...))
	got := map[string][]string{}
	for _, n := range d.Notices {
		if n.Invitation.MeetsMs != instant("2026-11-05T15:00:00Z").UnixMilli() {
			t.Errorf("%s is invited to a meeting at %d", n.Organisation, n.Invitation.MeetsMs)
		}
		if _, twice := got[n.Organisation]; twice {
			t.Errorf("%s has two invitations", n.Organisation)
		}
		got[n.Organisation] = n.Invitation.Represents
	}
	want := map[string][]string{ashmereCouncil: {"local_authority", "health"}, ashmerePolice: {"police"}, ashmereHealth: {"health"}, alder: nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("represented (-want +got):\n%s", diff)
	}
}

func TestNoOtherNoticeIsAnInvitation(t *testing.T) {
	for kind, ev := range everyKind("ada") {
		for _, n := range newWorld(t, "2026-11-06T16:05:00Z").first(ev).Notices {
			if n.Invitation != nil && ev.GetStrategyMeetingConvened() == nil {
				t.Errorf("%s: a notice by %s asks who comes", kind, n.Rule)
			}
		}
	}
}

func TestAnAnswerIsDueBeforeTheMeetingAndNobodyIsLateTheMomentTheyAreAsked(t *testing.T) {
	for _, tc := range []struct{ at, due, lastEnds string }{ // the meeting starts at 15:00
		{"2026-11-03T10:05:00Z", "2026-11-05T14:00:00Z", "2026-11-05T14:00:00Z"},
		{"2026-11-05T10:05:00Z", "2026-11-05T14:00:00Z", "2026-11-05T14:00:00Z"},
		{"2026-11-05T14:10:00Z", "2026-11-05T14:25:00Z", "2026-11-05T14:55:00Z"},
		{"2026-11-05T14:50:00Z", "2026-11-05T15:00:00Z", "2026-11-05T15:35:00Z"},
	} {
		n := to(newWorld(t, tc.at).first(convened(false, []string{"ada"}, needed()...)), ashmerePolice)[0]
		last := n.Chain[len(n.Chain)-1]
		if due := instant(tc.due).UnixMilli(); n.DueMs != due || n.DueMs+int64(last.OffsetMinutes)*60_000 != instant(tc.lastEnds).UnixMilli() {
			t.Errorf("invited at %s: due %d minutes from %s, the last link ends %d minutes after that", tc.at, (n.DueMs-due)/60_000, tc.due, last.OffsetMinutes)
		}
	}
}

func TestWhoeverDeclinesAfterAllHasSomebodyElseAskedOnceAndForEachRefusal(t *testing.T) {
	w, ev := newWorld(t, "2026-11-04T10:05:00Z"), convened(false, []string{"ada"}, needed()...)
	first := w.first(ev)
	was := to(first, ashmerePolice)[0]
	decline := func(id string, before ...*ledgerv1.Decision) *ledgerv1.Decision {
		r := next(reply, before...)
		for i := range r.Prior {
			r.Prior[i].Declined = r.Prior[i].ID == id || r.Prior[i].ID == was.Id
		}
		return w.at("2026-11-05T14:00:00Z").decide(r, ev)
	}
	second := decline(was.Id, first)
	if len(second.Notices) != 1 || len(second.Kept) != len(first.Notices) || len(second.Superseded) > 0 {
		t.Fatalf("%d notices, %d kept, %d superseded", len(second.Notices), len(second.Kept), len(second.Superseded))
	}
	instead := second.Notices[0]
	if instead.Organisation != ashmerePolice || instead.Invitation.InsteadOf != was.Id || instead.Repeats != "" || instead.Version != 1 {
		t.Errorf("asked instead: %v", instead)
	}
	if instead.DueMs != instant("2026-11-05T14:15:00Z").UnixMilli() {
		t.Errorf("due %d", instead.DueMs)
	}
	third := decline(was.Id, first, second)
	if len(third.Notices) > 0 || len(third.Kept) != len(first.Notices)+1 || len(third.Superseded) > 0 {
		t.Errorf("the same refusal once more makes %d notices and keeps %d", len(third.Notices), len(third.Kept))
	}
	fourth := decline(instead.Id, first, second)
	if len(fourth.Notices) != 1 || fourth.Notices[0].Invitation.InsteadOf != instead.Id {
		t.Errorf("after the refusal of whoever was asked instead: %v", fourth.Notices)
	}
}

func TestAMeetingThatIsMovedAsksEverybodyAnewAndNobodyInstead(t *testing.T) {
	w, ev := newWorld(t, "2026-11-04T10:05:00Z"), convened(false, []string{"ada"}, needed()...)
	first := w.first(ev)
	r := next(ledgerv1.Cause_CAUSE_CORRECTION, first)
	for i := range r.Prior {
		r.Prior[i].Declined = true
	}
	moved := convened(false, []string{"ada"}, needed()...)
	moved.GetStrategyMeetingConvened().MeetsAt = stamp("2026-11-06T15:00:00Z")
	second := w.decide(r, moved)
	if len(second.Notices) != len(first.Notices) || len(second.Superseded) != len(first.Notices) || len(second.Kept) > 0 {
		t.Fatalf("%d notices, %d superseded, %d kept", len(second.Notices), len(second.Superseded), len(second.Kept))
	}
	for _, n := range second.Notices {
		if n.Version != 2 || n.Invitation.InsteadOf != "" || n.Invitation.MeetsMs != instant("2026-11-06T15:00:00Z").UnixMilli() {
			t.Errorf("after the move: %v", n)
		}
	}
}
