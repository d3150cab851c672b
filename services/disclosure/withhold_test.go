package disclosure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
)

func TestWhatATextMustNotHold(t *testing.T) {
	const (
		another   = disclosure.NamesAnotherChild
		party     = disclosure.NamesAParty
		ref       = disclosure.NamesTheReferrer
		postcode  = disclosure.HoldsAPostcode
		telephone = disclosure.HoldsATelephone
	)
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{name: "the circumstances alone", text: "Shouting was heard. The child was upstairs and was not hurt."},
		{name: "the child's own given name", text: "Tamsin was calm."},
		{name: "the family name that siblings share", text: "The Alder-Quill family; Mrs Alder is calm."},
		{name: "the child's own known-as name", text: "Taz hid."},
		{name: "another child's given name", text: "Joss hid.", want: []string{another}},
		{name: "in another case", text: "JOSS and joss", want: []string{another}},
		{name: "with a possessive", text: "in Joss's room", want: []string{another}},
		{name: "with typographic marks", text: "“Joss”, she said", want: []string{another}},
		{name: "as a part of another word", text: "The jossing went on."},
		{name: "another child's known-as name", text: "Jojo hid.", want: []string{another}},
		{name: "a second given name", text: "Merrick hid.", want: []string{another}},
		{name: "an accented name without its accents", text: "Zoe cried.", want: []string{another}},
		{name: "an accented name, its accents apart", text: "Zoe\u0308 cried.", want: []string{another}},
		{name: "a letter that Unicode does not take apart", text: "Mr Sorensen left.", want: []string{party}},
		{name: "a name with an invisible character in it", text: "Jo\u200bss hid.", want: []string{another}},
		{name: "a party's family name", text: "Mr Rowan left.", want: []string{party}},
		{name: "a name with an apostrophe, written without", text: "Mr ONeill left.", want: []string{party}},
		{name: "a name with an apostrophe, curled", text: "Mr O’Neill left.", want: []string{party}},
		{name: "the half of a double-barrelled name", text: "Ms Fennimore rang.", want: []string{ref}},
		{name: "a double-barrelled name as one", text: "Ms HazelFennimore rang.", want: []string{ref}},
		{name: "a short name by itself is a word", text: "Bo Peep has lost her sheep. No, Ng is no word."},
		{name: "a short name in full", text: "Seen with BO NG yesterday.", want: []string{another}},
		{name: "a short name in full, family name first", text: "Seen with Ng, Bo.", want: []string{another}},
		{name: "several, each once", text: "Joss, Joss and Mr Rowan", want: []string{another, party}},

		{name: "a postcode", text: "at ZZ99 3AB", want: []string{postcode}},
		{name: "a postcode of the form A9 9AA", text: "to M1 1AE", want: []string{postcode}},
		{name: "a postcode of the form A9A 9AA", text: "to W1A 0AX", want: []string{postcode}},
		{name: "a postcode without its space, lower case", text: "near ec1a1bb.", want: []string{postcode}},
		{name: "a postcode with a no-break space", text: "near EC1A\u00a01BB", want: []string{postcode}},
		{name: "a postcode in full width", text: "near ＥＣ１Ａ １ＢＢ", want: []string{postcode}},
		{name: "the postcode of Girobank", text: "GIR 0AA", want: []string{postcode}},
		{name: "a school year and a time", text: "Y7 at 3am; Year 10 5 pupils; B2 and 3rd"},

		{name: "a mobile number", text: "ring 07700 900123", want: []string{telephone}},
		{name: "a mobile number without its nought", text: "ring 7700900123", want: []string{telephone}},
		{name: "a landline with brackets", text: "(020) 7946 0018", want: []string{telephone}},
		{name: "a landline with hyphens", text: "0117-496-0123", want: []string{telephone}},
		{name: "an international number", text: "+44 (0)20 7946 0018", want: []string{telephone}},
		{name: "the country code without plus", text: "44 7700 900123", want: []string{telephone}},
		{name: "a number abroad", text: "+353 20 915 1234", want: []string{telephone}},
		{name: "a number against a word", text: "tel07700900123", want: []string{telephone}},
		{name: "a date and a time", text: "on 07.11.2026 09:15, 2026-11-07 0915 and 7/11/26 08:30-15:30"},
		{name: "a police reference", text: "CAD 4512345/26 and crime 1234567"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev := eventWithNames()
			ev.Narrative = &eventv1.Narrative{Disclosable: tc.text, Restricted: "Joss, 07700 900123"}
			var want []disclosure.Finding
			for _, code := range tc.want {
				want = append(want, disclosure.Finding{Field: "narrative.disclosable", Code: code})
			}
			if diff := cmp.Diff(want, disclosure.Withhold(ev, "a")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func eventWithNames() *eventv1.Event {
	return &eventv1.Event{
		Children: []*eventv1.Child{
			{Ref: "a", Name: &eventv1.Name{Given: "Tamsin", Family: "Alder-Quill", KnownAs: "Taz"}},
			{Ref: "b", Name: &eventv1.Name{Given: "Joss Merrick", Family: "Alder-Quill", KnownAs: "Jojo"}},
			{Ref: "c", Name: &eventv1.Name{Given: "Zoë", Family: "Alder"}},
			{Ref: "d", Name: &eventv1.Name{Given: "Bo", Family: "Ng"}},
		},
		People: []*eventv1.Person{
			{Role: eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER, Name: &eventv1.Name{Given: "Ingrid", Family: "Alder"}},
			{Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Ash", Family: "Rowan"}},
			{Role: eventv1.PersonRole_PERSON_ROLE_OTHER, Name: &eventv1.Name{Family: "Sørensen"}},
			{Role: eventv1.PersonRole_PERSON_ROLE_OTHER, Name: &eventv1.Name{Family: "O'Neill"}},
			{Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Name: &eventv1.Name{Given: "Wyn", Family: "Hazel-Fennimore"}},
			{Role: eventv1.PersonRole_PERSON_ROLE_OTHER},
		},
	}
}

func TestEachTextIsSearchedForItsChild(t *testing.T) {
	const text = "Joss is here."
	named := func(field string) disclosure.Finding {
		return disclosure.Finding{Field: field, Code: disclosure.NamesAnotherChild}
	}
	actions := []*eventv1.Action{{Text: "fine"}, {Text: text}}
	for _, tc := range []struct {
		name, child string
		set         func(ev *eventv1.Event)
		want        []disclosure.Finding
	}{
		{name: "the voice of the child", child: "a", set: func(ev *eventv1.Event) { ev.Children[0].Voice = text }, want: []disclosure.Finding{named("children[0].voice")}},
		{name: "the voice of another child is not in the notice", child: "a", set: func(ev *eventv1.Event) { ev.Children[1].Voice = "Tamsin, Zoë" }},
		{name: "the same text in the named child's own notice", child: "b", set: func(ev *eventv1.Event) { ev.Narrative = &eventv1.Narrative{Disclosable: text} }},
		{name: "a child that is not in the event has no names of its own", child: "z", set: func(ev *eventv1.Event) { ev.Narrative = &eventv1.Narrative{Disclosable: text} }, want: []disclosure.Finding{named("narrative.disclosable")}},
		{name: "a next step", child: "a", set: func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_ReferralDecided{ReferralDecided: &eventv1.ReferralDecided{NextStep: text}}
		}, want: []disclosure.Finding{named("referral_decided.next_step")}},
		{name: "a strategy meeting", child: "a", set: func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: &eventv1.StrategyMeetingConcluded{Record: text, Actions: actions}}
		}, want: []disclosure.Finding{named("strategy_meeting_concluded.record"), named("strategy_meeting_concluded.actions[1].text")}},
		{name: "an enquiry", child: "a", set: func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{Summary: text}}
		}, want: []disclosure.Finding{named("enquiry_concluded.summary")}},
		{name: "a conference", child: "a", set: func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_ConferenceConcluded{ConferenceConcluded: &eventv1.ConferenceConcluded{Record: text, Actions: actions}}
		}, want: []disclosure.Finding{named("conference_concluded.record"), named("conference_concluded.actions[1].text")}},
		{name: "a return interview", child: "a", set: func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_ReturnInterviewCompleted{ReturnInterviewCompleted: &eventv1.ReturnInterviewCompleted{Summary: text}}
		}, want: []disclosure.Finding{named("return_interview_completed.summary")}},
		{name: "what a child is suspected of", child: "a", set: func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{SuspectedOf: text, HeldAt: "Joss Road"}}
		}, want: []disclosure.Finding{named("custody_detained.suspected_of")}},
		{name: "how to join a meeting may hold a telephone number", child: "a", set: func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_StrategyMeetingConvened{StrategyMeetingConvened: &eventv1.StrategyMeetingConvened{Joining: "020 7946 0018"}}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev := eventWithNames()
			tc.set(ev)
			before := proto.CloneOf(ev)
			findings := disclosure.Withhold(ev, tc.child)
			if diff := cmp.Diff(tc.want, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			blank := disclosure.WithoutText(ev, findings)
			if diff := cmp.Diff(before, ev, protocmp.Transform()); diff != "" {
				t.Errorf("the event was changed:\n%s", diff)
			}
			if again := disclosure.Withhold(blank, tc.child); len(again) > 0 {
				t.Errorf("the copy without the texts still has %v", again)
			}
			if len(findings) == 0 && !proto.Equal(ev, blank) {
				t.Errorf("texts without a finding were changed")
			}
		})
	}
}

func TestWithoutTextLeavesTheOtherTexts(t *testing.T) {
	ev := eventWithNames()
	ev.Narrative = &eventv1.Narrative{Disclosable: "Joss", Restricted: "kept"}
	ev.Children[0].Voice = "kept"
	want := proto.CloneOf(ev)
	want.Narrative.Disclosable = ""
	got := disclosure.WithoutText(ev, disclosure.Withhold(ev, "a"))
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("copy (-want +got):\n%s", diff)
	}
}
