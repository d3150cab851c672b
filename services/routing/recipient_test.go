package routing_test

import (
	"slices"
	"strings"
	"testing"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/policy"
)

func TestEachParticipantThatIsNotInTheDirectoryIsAGapOfItsOwn(t *testing.T) {
	d := newWorld(t, "2026-11-06T16:05:00Z").first(concluded([]string{"ada"},
		takesPart(ashmereCouncil, "local_authority", attended),
		&eventv1.Participant{Organisation: &eventv1.OrganisationRef{Name: "A trust"}, Function: "voluntary", Attendance: attended},
		&eventv1.Participant{Organisation: &eventv1.OrganisationRef{Name: "Another trust"}, Function: "voluntary", Attendance: attended}))
	if len(d.Gaps) != 2 || len(d.Tasks) != 2 {
		t.Errorf("want two gaps and two tasks\n%v", d)
	}
	for _, task := range d.Tasks {
		if strings.Contains(task.Detail, "trust") {
			t.Errorf("a publisher's text is in the ledger: %s", task.Detail)
		}
	}
}

func TestARequiredRuleThatNobodyMeetsIsAGap(t *testing.T) {
	for name, tc := range map[string]struct {
		event *eventv1.Event
		gap   string
	}{
		"a referral without a referrer":    {referralReceived(&eventv1.Person{Ref: "p", Role: eventv1.PersonRole_PERSON_ROLE_VICTIM}, "ada"), "referral.receipt"},
		"a meeting that nobody came to":    {concluded([]string{"ada"}, takesPart(ashmerePolice, "police", absent)), "strategy_meeting.record"},
		"an enquiry without parties":       {enquiry([]string{"ada"}), "enquiry.outcome"},
		"a meeting nobody is invited to":   {convened(false, []string{"ada"}), "strategy_meeting.invitation"},
		"a meeting that everybody came to": {concluded([]string{"ada"}, takesPart(ashmerePolice, "police", attended)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newWorld(t, "2026-11-06T16:05:00Z").first(tc.event)
			has := slices.ContainsFunc(d.Gaps, func(g *ledgerv1.Gap) bool { return g.Rule == tc.gap })
			if (tc.gap != "") != has || has && len(d.Tasks) == 0 {
				t.Errorf("gaps %v, tasks %q", d.Gaps, kinds(d))
			}
		})
	}
}

func TestASchoolThatReferredIsReachedByItsSafeguardingLead(t *testing.T) {
	who := referrer(true)
	who.Organisation.Id = alder
	d := newWorld(t, "2026-11-05T10:05:00Z").first(referralReceived(who, "ada"))
	if len(d.Notices) != 1 || !slices.Contains(d.Notices[0].Chain[0].Roles, "dsl") {
		t.Errorf("a school has no desk and no duty officer\n%v", d.Notices)
	}
}

func TestATextHeldBackIsAskedForWhateverShowsIt(t *testing.T) {
	all := []*eventv1.Participant{takesPart(ashmereCouncil, "local_authority", attended)}
	meeting, talk, plan := concluded([]string{"ada", "ben"}, all...), enquiry([]string{"ada", "ben"}, all...), conference([]string{"ada", "ben"}, all...)
	meeting.GetStrategyMeetingConcluded().Actions[0].Text = "Visit Ben."
	talk.GetEnquiryConcluded().Summary = "Ring 020 7946 0000."
	plan.GetConferenceConcluded().Record = "See Ben."
	received := referralReceived(referrer(true), "ada", "ben")
	received.Narrative = &eventv1.Narrative{Disclosable: "Ben said so."}
	voiced := incident("i", "2026-11-05T21:10:00Z", "ada", "ben")
	voiced.Children[0].Voice = "Ben told me."
	for name, tc := range map[string]struct {
		event *eventv1.Event
		field string
	}{
		"a next step":             {tellTale(), "referral_decided.next_step"},
		"an action":               {meeting, "strategy_meeting_concluded.actions[0].text"},
		"a summary":               {talk, "enquiry_concluded.summary"},
		"a record":                {plan, "conference_concluded.record"},
		"a child's voice":         {voiced, "children[0].voice"},
		"a text shown to nobody":  {received, ""},
		"a text that is in order": {incident("i", "2026-11-05T21:10:00Z", "ada"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newWorld(t, "2026-11-06T16:05:00Z").first(tc.event)
			var asked []string
			for _, task := range d.Tasks {
				if task.Kind == ledgerv1.TaskKind_TASK_KIND_TEXT_WITHHELD {
					asked = append(asked, task.Detail)
				}
			}
			if tc.field == "" && len(asked) > 0 || tc.field != "" && !strings.Contains(strings.Join(asked, "\n"), tc.field) {
				t.Errorf("asked %q, want %q", asked, tc.field)
			}
		})
	}
}

func TestANoticeWithNobodyToTryAsksAPerson(t *testing.T) {
	text := strings.ReplaceAll(string(policy.Default()), "      - {of: setting_authority, roles: [education_safeguarding], offset_minutes: 60}\n", "")
	w := newWorld(t, night)
	w.Policy = policyOf(t, []byte(text))
	d := w.first(incident("i", "2026-11-05T21:10:00Z", "gus")) // at a school that closed for good
	if len(d.Tasks) == 0 {
		t.Errorf("want a task\n%v", d)
	}
	for _, n := range d.Notices {
		if len(n.Chain) == 0 {
			t.Errorf("a notice to %s with an empty chain", n.Organisation)
		}
	}
}

func TestAChainIsNeverInstantaneous(t *testing.T) {
	w := newWorld(t, "2026-11-20T10:00:00Z") // two weeks late
	who := referrer(true)
	for name, ev := range map[string]*eventv1.Event{
		"late":             referralDecided(who, "ada"),
		"urgent and over":  convened(true, []string{"ada"}, takesPart(ashmerePolice, "police", invited)),
		"minutes to spare": incident("i", "2026-11-20T09:00:00Z", "ada"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, at := range []string{"2026-11-20T10:00:00Z", "2026-11-20T15:29:00Z"} {
				d := w.at(at).first(ev)
				if len(d.Notices) == 0 {
					t.Fatal("nobody is told")
				}
				for _, n := range d.Notices {
					last := instant(at).UnixMilli()
					for _, l := range n.Chain {
						ends := n.DueMs + int64(l.OffsetMinutes)*60_000
						if ends < last+15*60_000 {
							t.Errorf("%s has %d ms at %s", l.Organisation, ends-last, at)
						}
						last = ends
					}
				}
			}
		})
	}
}
