package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func TestAListIsPrintedForAMeeting(t *testing.T) {
	at := func(day, hour int) *timestamppb.Timestamp {
		return timestamppb.New(time.Date(2026, time.June, day, hour, 0, 0, 0, time.UTC))
	}
	list := &noticev1.WhereaboutsList{
		Subscription: "sub-1", Area: "E09000901", Since: at(9, 8), AsOf: at(23, 8), Basis: "By a subscription that was granted.",
		DoNot: []string{"Do not forward it by email."},
		Entries: []*noticev1.WhereaboutsEntry{
			{Kind: ledgerv1.EpisodeKind_EPISODE_KIND_MISSING, Name: &eventv1.Name{Given: "Ivo", Family: "Brennock", KnownAs: "Iggy"}, DateOfBirth: "2015-05-09",
				Agency: "northbridge-police", Reference: "NP/\x1b1", Began: at(18, 8), Ended: at(19, 8), Interview: ledgerv1.Interview_INTERVIEW_OVERDUE, InterviewAt: at(22, 8)},
			{Kind: ledgerv1.EpisodeKind_EPISODE_KIND_POLICE_PROTECTION, Name: &eventv1.Name{Given: "Joss", Family: "Penhallow"}, DateOfBirth: "2013-06-18",
				Agency: "northbridge-police", Reference: "NP/2", Began: at(22, 8), EndsBy: at(25, 8)},
			{Kind: ledgerv1.EpisodeKind_EPISODE_KIND_CUSTODY, Agency: "kestrel-police", Reference: "KP/3"},
		},
	}
	var out strings.Builder
	for _, item := range []*inboxv1.SubscribeResponse{
		{At: at(23, 8), Item: &inboxv1.SubscribeResponse_List{List: list}},
		{At: at(23, 8), Item: &inboxv1.SubscribeResponse_List{List: &noticev1.WhereaboutsList{Subscription: "sub-2", Area: "E09000902", Since: at(9, 8), AsOf: at(23, 8)}}},
		{At: at(23, 8), Item: &inboxv1.SubscribeResponse_Gone{Gone: &inboxv1.Gone{Reason: inboxv1.Reason_REASON_NOT_FOR_YOU}}},
	} {
		if err := printItem(&out, item); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "inbox-list", out.String())
}

func TestAnAgencySubscribesAndReadsItsInboxByCommands(t *testing.T) {
	now := apptest.London("2026-06-16 10:00")
	rig := apptest.Start(t, now)
	o := operating{t: t, rig: rig, dir: t.TempDir()}
	council, health := filepath.Join(o.dir, "council"), filepath.Join(o.dir, "health")
	o.good(o.admin(), "agency", "add", "ashmere-social-care", "--organisation", "ashmere-council", "--kinds", "all", "--out", council)
	o.good(o.admin(), "agency", "add", "ashmere-health", "--organisation", "ashmere-health", "--kinds", "referral.received", "--out", health)

	asked := answer(t, o.good(health, "subscription", "request", "--area", apptest.Ashmere, "--kind", "conference.concluded",
		"--purpose", "Health visitors of the borough.", "--output", "json"), &subscriptionv1.RequestResponse{})
	shows(t, o.good(o.admin(), "subscription", "list"), asked.Id+` +ashmere-health +requested +conference.concluded, area E09000901`, "Health visitors of the borough")
	refused := o.signalbox(o.admin(), "subscription", "grant", asked.Id, "--basis", "because", "--authoriser", "Director", "--until", "2026-06-01T00:00:00Z", "--review-on", "soon")
	shows(t, refused.err, "basis: no rule", "until: is not after", "review_on: write the date")
	shows(t, o.good(o.admin(), "subscription", "grant", asked.Id, "--basis", "children_act_2004_s10", "--authoriser", "Director of Children's Services",
		"--until", "2027-06-01T00:00:00Z", "--review-on", "2026-12-01"), "^Granted: ashmere-health, conference.concluded, area E09000901, children_act_2004_s10, from Tue 16 Jun 2026 10:00 BST until")
	shows(t, o.good(o.admin(), "directory", "show", "subscription"), "ashmere-health, conference.concluded")

	at := timestamppb.New(now.Add(-time.Hour))
	o.good(council, "publish", o.file("conference.json", &eventv1.Event{
		Id: "cc-1", Source: "ashmere-social-care", Type: "conference.concluded", Subject: "CC/1", Area: apptest.Ashmere, Time: at,
		Children: []*eventv1.Child{apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")},
		Payload: &eventv1.Event_ConferenceConcluded{ConferenceConcluded: &eventv1.ConferenceConcluded{
			HeldAt: at, Outcome: eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_PLAN,
			Participants: []*eventv1.Participant{{Organisation: &eventv1.OrganisationRef{Id: "ashmere-council"}, Function: "local_authority"}},
		}},
	}))
	rig.Settle()

	shows(t, o.good(health, "inbox", "read"), "subscription "+asked.Id+" counts from now on", "notice [a-z0-9]+, conference.concluded", "Brennock",
		"to be read by Wed 17 Jun 2026", "go on with --cursor")
	kept := filepath.Join(o.dir, "inbox.cursor")
	lines := strings.Split(strings.TrimSpace(o.good(health, "inbox", "read", "--cursor-file", kept, "--output", "json")), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d items, want 2:\n%s", len(lines), lines)
	}
	item := answer(t, lines[1], &inboxv1.SubscribeResponse{})
	text, err := os.ReadFile(kept)
	if err != nil || strings.TrimSpace(string(text)) != item.Cursor {
		t.Errorf("kept %q, %v, want the cursor of the last item", text, err)
	}
	shows(t, o.good(health, "inbox", "confirm", item.Cursor), "^Confirmed: 1 notice that nobody")
	shows(t, o.good(health, "inbox", "read", "--cursor-file", kept), "Nothing new")
	shows(t, o.good(health, "inbox", "acknowledge", item.GetNotice().GetId(), "--person", "J. Osei"), "Acknowledged")
	shows(t, o.good(o.admin(), "ledger", "timeline", "--notice", item.GetNotice().GetId()), "send begun .* by inbox", "delivered .* fetched from the inbox", "acknowledged .* by agency:ashmere-health")

	toList := answer(t, o.good(health, "subscription", "request", "--list", "--area", apptest.Ashmere, "--purpose", "We go to the meeting.", "--output", "json"), &subscriptionv1.RequestResponse{})
	shows(t, o.good(o.admin(), "subscription", "grant", toList.Id, "--basis", "children_missing_meeting", "--authoriser", "Director of Children's Services",
		"--until", "2027-06-01T00:00:00Z", "--review-on", "2026-12-01"), "^Granted: ashmere-health, list of children missing, area E09000901, children_missing_meeting")
	rig.Settle()
	shows(t, o.good(health, "subscription", "missing", toList.Id), "^Area E09000901, from Tue  2 Jun 2026 10:00 BST to Tue 16 Jun 2026 10:00 BST", "No child to be told of")
	rig.Clock.Set(apptest.London("2026-06-23 09:00"))
	rig.Settle()
	shows(t, o.good(health, "inbox", "read"), "children missing, in police protection or detained: area E09000901, from Tue  9 Jun 2026 09:00 BST to Tue 23 Jun 2026 09:00 BST, subscription "+toList.Id)

	shows(t, o.good(health, "subscription", "end", asked.Id), "^Ended")
	rig.Settle()
	shows(t, o.good(health, "inbox", "read", "--cursor-file", kept), "subscription "+asked.Id+" counts no more: it was ended")
	shows(t, o.good(health, "subscription", "list", "--all"), asked.Id+" +ashmere-health +ended")
	for _, wrong := range [][]string{
		{"inbox", "read", "--cursor", "x", "--cursor-file", "y"}, {"subscription", "request", "--purpose", "p", "--identifier", "nhs"},
		{"subscription", "grant", "s", "--basis", "b", "--authoriser", "a", "--until", "tomorrow", "--review-on", "2027-01-01"},
	} {
		if s := o.signalbox(health, wrong...); s.code != exitUsage {
			t.Errorf("%v: status %d, want %d\n%s", wrong, s.code, exitUsage, s.err)
		}
	}
}
