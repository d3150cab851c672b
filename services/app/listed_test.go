package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// listDay is a day of the default policy's list.
const listDay = "2026-06-23 09:00"

// subscribesToList asks for the list of an area and is granted it.
func (s *subscriber) subscribesToList(area string, until time.Time) string {
	s.t.Helper()
	id := s.asks(&subscriptionv1.RequestRequest{Area: area, List: true})
	must(s.t, grantOn(s.r, id, "children_missing_meeting", until))
	return id
}

// grantOn grants a subscription as the operator, on a basis.
func grantOn(r *apptest.Rig, id, basis string, until time.Time) error {
	_, err := subscriptionv1.NewSubscriptionServiceClient(r.Conn()).Grant(r.Context(), &subscriptionv1.GrantRequest{
		Id: id, Basis: basis, Authoriser: "Director of Children's Services", Until: timestamppb.New(until), ReviewOn: until.Format(time.DateOnly),
	})
	return err
}

// missingNow asks for the list as things stand.
func (s *subscriber) missingNow(id string) (*noticev1.WhereaboutsList, error) {
	response, err := s.ask.Whereabouts(s.r.Context(), &subscriptionv1.WhereaboutsRequest{Subscription: id})
	return response.GetList(), err
}

// onList is each entry of a list in a few words.
func onList(l *noticev1.WhereaboutsList) []string {
	lines := []string{}
	for _, e := range l.GetEntries() {
		lines = append(lines, fmt.Sprintf("%s %s %s, %s: %s %s, %s", e.Name.GetGiven(), e.Name.GetFamily(), e.DateOfBirth,
			strings.TrimPrefix(e.Kind.String(), "EPISODE_KIND_"), e.Agency, e.Reference, strings.TrimPrefix(e.Interview.String(), "INTERVIEW_")))
	}
	return lines
}

// lists are the lists that lie in an inbox, by their days; a stone where one may not be shown.
func lists(items []*inboxv1.SubscribeResponse) []string {
	lines := []string{}
	for _, item := range items {
		switch {
		case item.GetList() != nil:
			l := item.GetList()
			lines = append(lines, fmt.Sprintf("%s to %s: %d", apptest.Clock(l.Since.AsTime().UnixMilli()), apptest.Clock(l.AsOf.AsTime().UnixMilli()), len(l.Entries)))
		case item.GetGone() != nil && strings.Contains(item.Id, "/LIST/"):
			lines = append(lines, item.GetGone().GetReason().String())
		}
	}
	return lines
}

// listWorld is a service on the Thursday before a list, with police who publish and a health trust that subscribes.
func listWorld(t *testing.T) (*apptest.Rig, *apptest.Agency, *subscriber) {
	t.Helper()
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	return r, r.AddAgency("northbridge-police", "northbridge-police"), subscriberOf(t, r, "ashmere-health", "ashmere-health")
}

func TestTheFortnightlyListComesToWhoSubscribesAndNamesWhomTheyMayBeToldOf(t *testing.T) {
	r, police, health := listWorld(t)
	kestrel := subscriberOf(t, r, "kestrel-social-care", "kestrel-vale-council")
	until := apptest.London("2026-07-01 09:00")
	ashmere, vale := health.subscribesToList(apptest.Ashmere, until), kestrel.subscribesToList(apptest.KestrelVale, until)

	placed := apptest.Child("c1", "Bram", "Sollis", "2015-12-05")
	placed.LookedAfterBy = apptest.KestrelVale
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	there := reportedMissing(police, "joss", r.Clock.Now().Add(-2*time.Minute), joss)
	there.Area = apptest.KestrelVale
	police.Publish(reportedMissing(police, "ivo", r.Clock.Now(), ivo()))
	police.Publish(reportedMissing(police, "sealed", r.Clock.Now(), apptest.Child("c1", "Tamsin", "Holloway", "2017-08-30")))
	police.Publish(reportedMissing(police, "barred", r.Clock.Now(), apptest.Child("c1", "Edie", "Farrow", "2018-02-02")))
	police.Publish(reportedMissing(police, "unknown", r.Clock.Now(), apptest.Child("c1", "Nobody", "Atall", "2016-03-03")))
	police.Publish(reportedMissing(police, "placed", r.Clock.Now().Add(-time.Minute), placed))
	police.Publish(there)
	r.Settle()
	r.Clock.Set(apptest.London("2026-06-19 01:30"))
	found := policeEvent(police, notice.MissingFound, "ivo-found", r.Clock.Now(), ivo())
	found.Subject = "NP/ivo"
	found.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{FoundAt: timestamppb.New(apptest.London("2026-06-19 01:05"))}}
	police.Publish(found)
	r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"}, []byte(
		"id,roll,pupil_id,kind,target,authoriser,reason,review_on\n"+
			"T-1,ashmere-roll,A-1009,protected_location,,Head of Safeguarding,refuge,2027-03-01\n"+
			"T-2,ashmere-roll,A-1010,barred_organisation,ashmere-health,Head of Safeguarding,party_works_there,2027-03-01\n"))
	r.Settle()
	equal(t, "before its day", lists(health.read("")), []string{})

	r.Clock.Set(apptest.London(listDay).Add(-time.Millisecond))
	r.Settle()
	equal(t, "a moment before", lists(health.read("")), []string{})
	r.Clock.Set(apptest.London(listDay))
	r.Settle()
	items := health.read("")
	equal(t, "at its instant", lists(items), []string{"09:00 Tue 9 Jun (BST) to 09:00 Tue 23 Jun (BST): 2"})
	list := items[len(items)-1].GetList()
	equal(t, "who is on it", onList(list), []string{
		"Ivo Brennock 2015-05-09, MISSING: northbridge-police NP/ivo, OVERDUE",
		"Bram Sollis 2015-12-05, MISSING: northbridge-police NP/placed, UNSPECIFIED",
	})
	equal(t, "began", apptest.Clock(list.Entries[0].Began.AsTime().UnixMilli()), "15:42 Thu 18 Jun (BST)")
	equal(t, "ended", apptest.Clock(list.Entries[0].Ended.AsTime().UnixMilli()), "01:05 Fri 19 Jun (BST)")
	if text := list.String(); !strings.Contains(text, "Children Act 2004") || !strings.Contains(text, "Do not forward") || strings.Contains(text, "Harbour") ||
		strings.Contains(text, "as usual") || strings.Contains(text, "E10000902") || strings.Contains(text, "erased") {
		t.Errorf("the list says more than its view, or not on what basis:\n%s", text)
	}
	theirs := kestrel.read("")
	equal(t, "of the other area", onList(theirs[len(theirs)-1].GetList()), []string{
		"Bram Sollis 2015-12-05, MISSING: northbridge-police NP/placed, UNSPECIFIED", "Joss Penhallow 2013-06-18, MISSING: northbridge-police NP/joss, UNSPECIFIED",
	})
	_, err := health.missingNow(vale)
	equal(t, "asking by another's", status.Code(err), codes.NotFound)

	// Sealed after it was listed: whoever reads it again does not hear that somebody is not there any more.
	r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"}, []byte(
		"id,roll,pupil_id,kind,target,authoriser,reason,review_on\nT-3,ashmere-roll,A-1001,sealed_identity,,Head of Safeguarding,protected_person,2027-03-01\n"))
	items = health.read("")
	equal(t, "once one is sealed", onList(items[len(items)-1].GetList()), []string{"Bram Sollis 2015-12-05, MISSING: northbridge-police NP/placed, UNSPECIFIED"})
	r.Clock.Advance(time.Minute)
	now, err := health.missingNow(ashmere)
	must(t, err)
	equal(t, "asked for now", onList(now), onList(items[len(items)-1].GetList()))

	shown := func() (times int) {
		for _, f := range r.Timeline(police.ID, "placed") {
			if f.GetWhereaboutsListed() != nil {
				times++
			}
		}
		return times
	}
	equal(t, "recorded as shown: twice to one, which read something else the second time, once to the other, and once for the asking", shown(), 4)
	health.read("")
	equal(t, "what says the same is not recorded again", shown(), 4)

	r.Clock.Set(until)
	equal(t, "at the end of its basis", lists(health.read("")), []string{"REASON_NOT_FOR_YOU"})
	_, err = health.missingNow(ashmere)
	equal(t, "asked for then", status.Code(err), codes.FailedPrecondition)
	r.Clock.Set(apptest.London("2026-07-07 09:30"))
	r.Settle()
	equal(t, "and no list comes any more", len(lists(health.read(""))), 1)
	r.Verify()
}

func TestTheListIsAskedForByAreaAndGrantedOnItsOwnBasisAndStopsWithInboxes(t *testing.T) {
	r, _, health := listWorld(t)
	until := r.Clock.Now().Add(30 * 24 * time.Hour)
	for name, req := range map[string]*subscriptionv1.RequestRequest{
		"of no area":     {List: true},
		"of kinds":       {List: true, Area: apptest.Ashmere, Kinds: []string{string(notice.MissingReported)}},
		"of one child":   {List: true, Area: apptest.Ashmere, Child: &directoryv1.SubscribedChild{Given: "Ivo", Family: "Brennock", DateOfBirth: "2015-05-09"}},
		"of one matter":  {List: true, Area: apptest.Ashmere, Matter: &directoryv1.Matter{Agency: "northbridge-police", Reference: "NP/1"}},
		"of no such one": {List: true, Area: "E09000999"},
	} {
		req.Purpose = "We go to the meeting."
		if _, err := health.ask.Request(r.Context(), req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, outcomes := health.asks(&subscriptionv1.RequestRequest{List: true, Area: apptest.Ashmere}), health.asks(&subscriptionv1.RequestRequest{Area: apptest.Ashmere})
	_, err := health.missingNow(list)
	equal(t, "before it is granted", status.Code(err), codes.FailedPrecondition)
	equal(t, "on the basis of outcomes", status.Code(grant(r, list, until)), codes.InvalidArgument)
	equal(t, "outcomes on the basis of the list", status.Code(grantOn(r, outcomes, "children_missing_meeting", until)), codes.InvalidArgument)
	must(t, grantOn(r, list, "children_missing_meeting", until))
	must(t, grant(r, outcomes, until))
	r.Settle()
	now, err := health.missingNow(list)
	must(t, err)
	equal(t, "nobody is missing", onList(now), []string{})
	_, err = health.missingNow(outcomes)
	equal(t, "the list by a subscription to outcomes", status.Code(err), codes.NotFound)
	_, err = subscriptionv1.NewSubscriptionServiceClient(r.Conn()).Whereabouts(r.Context(), &subscriptionv1.WhereaboutsRequest{Subscription: list})
	equal(t, "as an operator, who has a command of their own", status.Code(err), codes.PermissionDenied)
	_, err = ledgerv1.NewLedgerServiceClient(health.GRPC).Whereabouts(r.Context(), &ledgerv1.WhereaboutsRequest{})
	equal(t, "an agency by the operators' command", status.Code(err), codes.PermissionDenied)

	// While sending is stopped no list is shown.
	_, err = sending(r).Stop(r.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: "inbox", Reason: "A drill."})
	must(t, err)
	r.Clock.Set(apptest.London(listDay))
	r.Settle()
	equal(t, "while inboxes are stopped", lists(health.read("")), []string{})
	_, err = health.missingNow(list)
	equal(t, "asked for then", status.Code(err), codes.Unavailable)
	_, err = sending(r).Resume(r.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: "inbox", Reason: "It is over."})
	must(t, err)
	equal(t, "once they go on", len(lists(health.read(""))), 1)
	r.Verify()
}

// The service is down over two of the list's days, and another leads from the third, two days after the clocks went back.
func TestAListThatWasMissedIsMadeUpForOnceAndANewLeaderBringsNoneTwice(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-09-10 10:00"))
	health := subscriberOf(t, r, "ashmere-health", "ashmere-health")
	health.subscribesToList(apptest.Ashmere, apptest.London("2027-01-01 00:00"))
	r.Settle()
	again := func() []string {
		r.Settle()
		health.Connect()
		return lists((&subscriber{Agency: health.Agency, t: t, r: r, inbox: inboxv1.NewInboxServiceClient(health.GRPC)}).read(""))
	}
	r.Stop()
	r.Clock.Set(apptest.London("2026-10-14 12:00"))
	r.Boot()
	missed := []string{"09:00 Tue 29 Sep (BST) to 09:00 Tue 13 Oct (BST): 0"}
	equal(t, "made up for", again(), missed)
	r.Clock.Set(apptest.London("2026-10-27 09:00"))
	both := append(missed, "09:00 Tue 13 Oct (BST) to 09:00 Tue 27 Oct (GMT): 0")
	equal(t, "after the clocks went back", again(), both)
	r.Restart()
	equal(t, "by a new leader", again(), both)
	r.Verify()
}
