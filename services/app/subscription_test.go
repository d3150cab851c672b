package app_test

import (
	"errors"
	"io"
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
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// subscriber is an agency with an inbox.
type subscriber struct {
	*apptest.Agency
	t     *testing.T
	r     *apptest.Rig
	inbox inboxv1.InboxServiceClient
	ask   subscriptionv1.SubscriptionServiceClient
}

func subscriberOf(t *testing.T, r *apptest.Rig, id, organisation string) *subscriber {
	t.Helper()
	a := r.AddAgency(id, organisation)
	return &subscriber{Agency: a, t: t, r: r, inbox: inboxv1.NewInboxServiceClient(a.GRPC), ask: subscriptionv1.NewSubscriptionServiceClient(a.GRPC)}
}

// asks asks for a subscription.
func (s *subscriber) asks(req *subscriptionv1.RequestRequest) string {
	s.t.Helper()
	req.Purpose = "We work with the children of the borough."
	response, err := s.ask.Request(s.r.Context(), req)
	must(s.t, err)
	return response.Id
}

// grant grants a subscription as the operator, until an instant.
func grant(r *apptest.Rig, id string, until time.Time) error {
	_, err := subscriptionv1.NewSubscriptionServiceClient(r.Conn()).Grant(r.Context(), &subscriptionv1.GrantRequest{
		Id: id, Basis: "children_act_2004_s10", Authoriser: "Director of Children's Services",
		Until: timestamppb.New(until), ReviewOn: until.Format(time.DateOnly),
	})
	return err
}

// subscribes asks for a subscription to the borough and is granted it.
func (s *subscriber) subscribes(until time.Time) string {
	s.t.Helper()
	id := s.asks(&subscriptionv1.RequestRequest{Area: apptest.Ashmere})
	must(s.t, grant(s.r, id, until))
	return id
}

// read is what lies in the inbox behind a cursor by now.
func (s *subscriber) read(cursor string) []*inboxv1.SubscribeResponse {
	s.t.Helper()
	items, err := s.tryRead(cursor)
	must(s.t, err)
	return items
}

func (s *subscriber) tryRead(cursor string) ([]*inboxv1.SubscribeResponse, error) {
	stream, err := s.inbox.Subscribe(s.r.Context(), &inboxv1.SubscribeRequest{Cursor: cursor, UntilNow: true})
	if err != nil {
		return nil, err
	}
	var items []*inboxv1.SubscribeResponse
	for {
		item, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
}

// said is each item in a word or two: the reference told of, why nothing is told, or what became of a subscription.
func said(items []*inboxv1.SubscribeResponse) []string {
	words := []string{}
	for _, item := range items {
		switch {
		case item.GetNotice() != nil:
			words = append(words, item.GetNotice().GetEvents()[0].GetSubject())
		case item.GetGone() != nil:
			words = append(words, item.GetGone().GetReason().String())
		default:
			words = append(words, item.GetSubscription().GetState().String())
		}
	}
	return words
}

// outcome is that of a conference to which nobody but the publisher was invited.
func outcome(council *apptest.Agency, reference string, at time.Time, children ...*eventv1.Child) *eventv1.Event {
	ev := envelope(council, "ev-"+reference, notice.ConferenceConcluded, reference, at, children...)
	ev.Payload = &eventv1.Event_ConferenceConcluded{ConferenceConcluded: &eventv1.ConferenceConcluded{
		HeldAt: ev.Time, Outcome: eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_PLAN, Category: "neglect", Record: "The core group meets in ten days.",
		Participants: []*eventv1.Participant{{Organisation: organisation("ashmere-council"), Function: "local_authority"}},
	}}
	return ev
}

func ivo() *eventv1.Child { return apptest.Child("c1", "Ivo", "Brennock", "2015-05-09") }

// weekday is a service on a working day, with the council that publishes and a trust that may subscribe.
func weekday(t *testing.T) (*apptest.Rig, *apptest.Agency, *subscriber) {
	t.Helper()
	r := apptest.Start(t, apptest.London("2026-06-16 10:00"))
	return r, r.AddAgency("ashmere-social-care", "ashmere-council"), subscriberOf(t, r, "ashmere-health", "ashmere-health")
}

func TestASubscriptionTellsOnlyOnceItIsGrantedAndEndsAtTheInstantOfItsBasis(t *testing.T) {
	r, council, health := weekday(t)
	id := health.asks(&subscriptionv1.RequestRequest{Area: apptest.Ashmere, Kinds: []string{string(notice.ConferenceConcluded)}})
	council.Publish(outcome(council, "CC-early", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "before it is granted", said(health.read("")), []string{})

	until := r.Clock.Now().Add(2 * time.Hour)
	must(t, grant(r, id, until))
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	r.Settle()
	items := health.read("")
	equal(t, "once it is granted", said(items), []string{"STATE_BEGAN", "CC-1"})
	told := items[1].GetNotice()
	if text := told.String(); !strings.Contains(text, "Brennock") || strings.Contains(text, "core group") {
		t.Errorf("the subscriber is shown too little, or more than its view: %s", text)
	}
	equal(t, "before the receipt", r.Summary().Delivered, int64(2)) // the council's own
	confirmed, err := health.inbox.Confirm(r.Context(), &inboxv1.ConfirmRequest{Cursor: items[1].Cursor})
	must(t, err)
	equal(t, "confirmed", confirmed.Confirmed, int64(1))
	equal(t, "after the receipt", r.Summary().Delivered, int64(3))

	council.Publish(outcome(council, "CC-2", r.Clock.Now(), ivo()))
	r.Settle()
	r.Clock.Set(until)
	equal(t, "at the instant, before anything else happens", said(health.read(items[1].Cursor))[0], "REASON_NOT_FOR_YOU")
	council.Publish(outcome(council, "CC-late", until, ivo()))
	r.Settle()
	equal(t, "after it", said(health.read("")), []string{"STATE_BEGAN", "REASON_NOT_FOR_YOU", "REASON_NOT_FOR_YOU", "STATE_EXPIRED"})
	equal(t, "tasks", r.OpenTasks(), []string{})
	listed, err := health.ask.List(r.Context(), &subscriptionv1.ListRequest{All: true})
	must(t, err)
	equal(t, "listed", listed.Items[0].State, "expired")
	r.Clock.Advance(7 * 24 * time.Hour)
	r.Settle()
	equal(t, "mails to the subscriber's desk", len(r.Mail.To("safeguarding@ashmere-health.example")), 0)
	r.Verify()
}

func TestASealedChildIsAnsweredLikeAnUnknownOneAlsoToASubscriber(t *testing.T) {
	r, council, health := weekday(t)
	child := func(given, family, born string) string {
		return health.asks(&subscriptionv1.RequestRequest{Child: &directoryv1.SubscribedChild{Given: given, Family: family, DateOfBirth: born}})
	}
	until := r.Clock.Now().Add(24 * time.Hour)
	known, unknown := child("Ivo", "Brennock", "2015-05-09"), child("Nobody", "Atall", "2015-05-09")
	r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"}, []byte(
		"id,roll,pupil_id,kind,target,authoriser,reason,review_on\nT-1,ashmere-roll,A-1009,protected_location,,Head of Safeguarding,refuge,2027-03-01\n"))
	sealed := child("Tamsin", "Holloway", "2017-08-30")
	must(t, grant(r, known, until))
	ofUnknown, ofSealed := grant(r, unknown, until), grant(r, sealed, until)
	if status.Code(ofSealed) != codes.InvalidArgument || status.Convert(ofSealed).Message() != status.Convert(ofUnknown).Message() {
		t.Errorf("sealed: %v; unknown: %v", ofSealed, ofUnknown)
	}
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "told of the known child", said(health.read("")), []string{"STATE_BEGAN", "CC-1"})

	// Sealed after it was told and before it was read.
	r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"}, []byte(
		"id,roll,pupil_id,kind,target,authoriser,reason,review_on\nT-2,ashmere-roll,A-1001,sealed_identity,,Head of Safeguarding,protected_person,2027-03-01\n"))
	equal(t, "once the child is sealed", said(health.read("")), []string{"STATE_BEGAN", "REASON_NOT_FOR_YOU"})
	council.Publish(outcome(council, "CC-2", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "what comes then", said(health.read("")), []string{"STATE_BEGAN", "REASON_NOT_FOR_YOU"})
	r.Verify()
}

func TestAnInboxIsItsAgencysAlone(t *testing.T) {
	r, council, health := weekday(t)
	other := subscriberOf(t, r, "harbour", "harbour-trust")
	until := r.Clock.Now().Add(24 * time.Hour)
	id := health.subscribes(until)
	other.subscribes(until)
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	r.Settle()
	items := health.read("")
	equal(t, "own", said(items), []string{"STATE_BEGAN", "CC-1"})
	for name, cursor := range map[string]string{"another's": items[1].Cursor, "made up": "AAAAAAAAAAAAAAAAAA", "no cursor": "%"} {
		if got, err := other.tryRead(cursor); status.Code(err) != codes.FailedPrecondition || len(got) > 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if _, err := other.inbox.Confirm(r.Context(), &inboxv1.ConfirmRequest{Cursor: cursor}); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%s, confirmed: %v", name, err)
		}
	}
	_, err := other.inbox.Acknowledge(r.Context(), &inboxv1.AcknowledgeRequest{Notice: items[1].GetNotice().GetId(), Person: "X"})
	equal(t, "acknowledging another's", status.Code(err), codes.NotFound)
	_, err = other.ask.End(r.Context(), &subscriptionv1.EndRequest{Id: id})
	equal(t, "ending another's", status.Code(err), codes.NotFound)
	_, err = other.ask.Grant(r.Context(), &subscriptionv1.GrantRequest{Id: id})
	equal(t, "granting as an agency", status.Code(err), codes.PermissionDenied)
	operator, err := inboxv1.NewInboxServiceClient(r.Conn()).Subscribe(r.Context(), &inboxv1.SubscribeRequest{UntilNow: true})
	must(t, err)
	_, err = operator.Recv()
	equal(t, "reading as an operator", status.Code(err), codes.PermissionDenied)
	r.Verify()
}

func TestASubscriberThatStaysAwayBecomesVisibleAndOneThatComesBackSettlesIt(t *testing.T) {
	r, council, _ := weekday(t)
	r.Import(&directoryv1.ImportHeader{Format: "organisations", Name: "organisations.csv"}, []byte(
		"id,name,kind,area,status\nmoorland-trust,Moorland Trust,voluntary,E09000901,\n"))
	away := subscriberOf(t, r, "moorland", "moorland-trust") // which has no desk in the directory
	away.subscribes(r.Clock.Now().Add(30 * 24 * time.Hour))
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "tasks at first", r.OpenTasks(), []string{})
	r.Clock.Set(r.Clock.Now().Add(24 * time.Hour)) // one working day
	r.Settle()
	equal(t, "tasks at the due time", r.OpenTasks(), []string{"EXHAUSTED moorland-trust desk"})
	items := away.read("")
	equal(t, "what waited", said(items), []string{"STATE_BEGAN", "CC-1"})
	_, err := away.inbox.Confirm(r.Context(), &inboxv1.ConfirmRequest{Cursor: items[1].Cursor})
	must(t, err)
	equal(t, "tasks once it was read", r.OpenTasks(), []string{})
	for _, s := range apptest.States(council.Feedback(), "ev-CC-1", "c1") {
		if s.String() == "CHILD_STATE_LATE" {
			t.Error("the publisher hears of a subscriber's absence")
		}
	}
	r.Verify()
}

func TestWhatRulesSendToAnOrganisationMayGoToItsInboxAndAPersonThereAcknowledges(t *testing.T) {
	r, council, _ := weekday(t)
	home := subscriberOf(t, r, "kestrel-social-care", "kestrel-vale-council")
	contacts := func(agency string) []byte {
		return []byte("id,organisation,role,name,channel,address,verified_on\nkestrel-inbox,kestrel-vale-council,duty,Case system,inbox," + agency + ",2026-06-01\n")
	}
	header := &directoryv1.ImportHeader{Format: "contacts", Name: "inbox.csv", Source: "agency-systems"}
	if result := r.Import(header, contacts("ashmere-health")); len(result.Faults) != 1 || result.Faults[0].Column != "address" {
		t.Errorf("another agency's inbox: %v", result.Faults)
	}
	r.Import(header, contacts("kestrel-social-care"))
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	enquiry := envelope(council, "eq-1", notice.EnquiryConcluded, "EQ-1", r.Clock.Now(), joss)
	enquiry.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
		ConcludedAt: enquiry.Time, Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_NOT_SUBSTANTIATED, Summary: "No further concerns.",
		Participants: []*eventv1.Participant{{Organisation: organisation("ashmere-council"), Function: "local_authority"}},
	}}
	council.Publish(enquiry)
	r.Settle()
	items := home.read("")
	equal(t, "inbox", said(items), []string{"EQ-1"})
	home.read(items[0].Cursor) // which confirms it
	equal(t, "acknowledged by a receipt", r.Summary().Acknowledged, int64(0))
	_, err := home.inbox.Acknowledge(r.Context(), &inboxv1.AcknowledgeRequest{Notice: items[0].GetNotice().GetId(), Person: "Petra Lund"})
	must(t, err)
	equal(t, "acknowledged", r.Summary().Acknowledged, int64(1))
	r.Verify()
}

func TestWhatIsWithdrawnOrReplacedIsNotShownInAnInbox(t *testing.T) {
	r, council, health := weekday(t)
	health.subscribes(r.Clock.Now().Add(24 * time.Hour))
	first := outcome(council, "CC-1", r.Clock.Now(), ivo())
	council.Publish(first)
	corrected := outcome(council, "CC-2", r.Clock.Now(), ivo())
	council.Publish(corrected)
	r.Settle()
	council.Publish(withdrawal(council, first))
	again := outcome(council, "CC-2", r.Clock.Now(), ivo())
	again.Id, again.Supersedes = "ev-CC-2-again", corrected.Id
	again.GetConferenceConcluded().Outcome = eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_NO_PLAN
	council.Publish(again)
	r.Settle()
	equal(t, "inbox", said(health.read("")), []string{"STATE_BEGAN", "REASON_WITHDRAWN", "REASON_REPLACED", "CC-2"})
	r.Verify()
}

func TestWhileSendingIsStoppedAnInboxShowsNothingNew(t *testing.T) {
	r, council, health := weekday(t)
	health.subscribes(r.Clock.Now().Add(24 * time.Hour))
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	r.Settle()
	everything := ledgerv1.Scope_SCOPE_ALL
	_, err := sending(r).Stop(r.Context(), &sendingv1.StopRequest{Scope: everything, Reason: "A drill."})
	must(t, err)
	council.Publish(outcome(council, "CC-2", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "while it is stopped", said(health.read("")), []string{"STATE_BEGAN"})
	_, err = sending(r).Resume(r.Context(), &sendingv1.ResumeRequest{Scope: everything, Reason: "It is over."})
	must(t, err)
	r.Settle()
	equal(t, "once it goes on", said(health.read("")), []string{"STATE_BEGAN", "CC-1", "CC-2"})
	r.Verify()
}

func TestWhatAnAgencyHasFetchedIsNotShownAgainOnceItIsCorrected(t *testing.T) {
	t.Parallel()
	r, council, health := weekday(t)
	health.subscribes(r.Clock.Now().Add(24 * time.Hour))
	other, same := outcome(council, "CC-1", r.Clock.Now(), ivo()), outcome(council, "CC-2", r.Clock.Now(), ivo())
	council.Publish(other)
	council.Publish(same)
	r.Settle()
	items := health.read("")
	equal(t, "fetched", said(items), []string{"STATE_BEGAN", "CC-1", "CC-2"})
	_, err := health.inbox.Confirm(r.Context(), &inboxv1.ConfirmRequest{Cursor: items[2].Cursor})
	must(t, err)

	// The first was about somebody else, who is nobody that is known; of the second another outcome was meant.
	corrected := outcome(council, "CC-1", r.Clock.Now(), apptest.Child("c2", "Nobody", "Known", "2014-02-03"))
	corrected.Id, corrected.Supersedes = "ev-CC-1-again", other.Id
	again := outcome(council, "CC-2", r.Clock.Now(), ivo())
	again.Id, again.Supersedes = "ev-CC-2-again", same.Id
	again.GetConferenceConcluded().Outcome = eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_NO_PLAN
	council.Publish(corrected)
	council.Publish(again)
	r.Settle()
	equal(t, "read from the beginning", said(health.read("")), []string{"STATE_BEGAN", "REASON_NOT_FOR_YOU", "REASON_REPLACED", "CC-2"})
	r.Verify()
}

func TestAnAgencyWhoseAccessWasTakenHasNothingMoreSentToItsDesk(t *testing.T) {
	r, council, health := weekday(t)
	health.subscribes(r.Clock.Now().Add(30 * 24 * time.Hour))
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo())) // lies in the inbox
	r.Settle()
	_, err := directoryv1.NewDirectoryServiceClient(r.Conn()).RemoveAgency(r.Context(), &directoryv1.RemoveAgencyRequest{Id: "ashmere-health"})
	must(t, err)
	council.Publish(outcome(council, "CC-2", r.Clock.Now(), ivo()))
	r.Settle()
	r.Clock.Advance(24 * time.Hour) // its chain would go on by mail
	r.Settle()
	equal(t, "mails to the desk", len(r.Mail.To("safeguarding@ashmere-health.example")), 0)
	r.Verify()
}
