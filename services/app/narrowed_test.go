package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

const northbridge = "E23000901" // the police area around Ashmere

// terms are what a subscription that was imported covers.
type terms struct{ area, basis, from, kinds string }

func wide() terms { return terms{northbridge, "children_act_2004_s10", "2026-06-01", ""} }

// grants imports a subscription of the health trust, in the place of what it covered before.
func grants(r *apptest.Rig, x terms) {
	r.T.Helper()
	result := r.Import(&directoryv1.ImportHeader{Format: "subscriptions", Name: "subscriptions.csv"}, []byte(fmt.Sprintf(
		"id,agency,organisation,area,basis,authoriser,from,until,review_on,kinds\n"+
			"s-1,ashmere-health,ashmere-health,%s,%s,Director,%s,2027-06-01,2027-05-01,%s\n", x.area, x.basis, x.from, x.kinds)))
	if len(result.Faults) > 0 {
		r.T.Fatal(result.Faults)
	}
}

// onAnotherBasisToo is the default policy with a rule that tells subscribers of the same, but for conferences, on another basis.
func onAnotherBasisToo() []byte {
	text := string(policy.Default())
	i, j := strings.Index(text, "  - id: outcome.subscriber"), strings.Index(text, "# What the rules come to")
	other := strings.NewReplacer(
		"outcome.subscriber", "outcome.other_subscriber", "children_act_2004_s10", "children_act_1989_s47", "      - conference.concluded\n", "",
	).Replace(text[i:j])
	return []byte(text[:j] + other + text[j:])
}

func TestWhatASubscriptionCoversNoMoreIsNeitherShownNorSent(t *testing.T) {
	for name, narrow := range map[string]func(*terms){
		"to other kinds":    func(x *terms) { x.kinds = "referral.decided;enquiry.concluded" },
		"to another area":   func(x *terms) { x.area = apptest.KestrelVale },
		"to another basis":  func(x *terms) { x.basis = "children_act_1989_s47" },
		"to what comes yet": func(x *terms) { x.from = "2026-07-01" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, council, health := weekday(t)
			r.Import(&directoryv1.ImportHeader{Format: "policy", Name: "policy.yaml"}, onAnotherBasisToo())
			grants(r, wide())
			council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
			r.Settle()
			items := health.read("")
			equal(t, "told of the whole", said(items), []string{"STATE_BEGAN", "CC-1"})
			health.read(items[1].Cursor)                                    // which confirms it
			council.Publish(outcome(council, "CC-2", r.Clock.Now(), ivo())) // not fetched yet
			r.Settle()
			delivered := r.Summary().Delivered

			narrowed := wide()
			narrow(&narrowed)
			grants(r, narrowed)
			r.Settle()
			equal(t, "read from the beginning", said(health.read("")), []string{"STATE_BEGAN", "REASON_NOT_FOR_YOU", "REASON_NOT_FOR_YOU"})
			council.Publish(outcome(council, "CC-3", r.Clock.Now(), ivo()))
			r.Settle()
			equal(t, "told by it", len(health.read("")), 3)
			r.Clock.Advance(7 * 24 * time.Hour) // its chain would have gone on to the desk
			r.Settle()
			equal(t, "mails to the desk", len(r.Mail.To(trust)), 0)
			equal(t, "tasks", r.OpenTasks(), []string{})
			equal(t, "delivered besides", r.Summary().Delivered-delivered, int64(1)) // CC-3, to the council

			grants(r, wide())
			r.Settle()
			equal(t, "widened again", said(health.read("")), []string{"STATE_BEGAN", "CC-1", "REASON_NOT_FOR_YOU"})
			r.Verify()
		})
	}
}

func TestAMailThatASubscriptionBroughtIsOpenedNoMoreOnceItCoversLess(t *testing.T) {
	r, council, _ := weekday(t)
	grants(r, wide())
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), ivo()))
	r.Settle()
	r.Clock.Advance(30 * time.Hour) // nobody reads the inbox: its desk is told
	r.Settle()
	mails := r.Mail.To(trust)
	equal(t, "mails to the desk", len(mails), 1)
	desk := r.Person(trust)
	desk.Open(mails[0])

	narrowed := wide()
	narrowed.kinds = "referral.decided"
	grants(r, narrowed)
	r.Settle()
	if code, page := desk.Try(mails[0], "/notice", nil); code == http.StatusOK {
		t.Errorf("it is shown: %s", page)
	}
	r.Verify()
}

func TestWhereAChildLivedWhenItWasToldCountsForWhatASubscriptionCovers(t *testing.T) {
	r, council, health := weekday(t)
	vale := wide()
	vale.area = apptest.KestrelVale
	grants(r, vale)
	elsewhere := ivo()
	elsewhere.ResidenceArea = apptest.KestrelVale // as the council knows; the roll says Ashmere
	council.Publish(outcome(council, "CC-1", r.Clock.Now(), elsewhere))
	r.Settle()
	vale.kinds = "conference.concluded"
	grants(r, vale)
	r.Settle()
	equal(t, "covered still", said(health.read("")), []string{"STATE_BEGAN", "CC-1"})
	vale.area = apptest.Ashmere
	grants(r, vale)
	r.Settle()
	equal(t, "covered no more", said(health.read("")), []string{"STATE_BEGAN", "REASON_NOT_FOR_YOU"})
	r.Verify()
}

func TestAKindThatNoSubscriberIsToldOfIsRefusedWhenItIsAskedFor(t *testing.T) {
	r, _, health := weekday(t)
	_, err := health.ask.Request(r.Context(), &subscriptionv1.RequestRequest{
		Kinds: []string{"conference.concluded", "encompass.incident", "enquiries.concluded"}, Area: apptest.Ashmere, Purpose: "x",
	})
	faults := []string{}
	for _, f := range notice.FieldsOf(rpc.Fault(err)) {
		faults = append(faults, f.Field+": "+f.Message)
	}
	equal(t, "faults", faults, []string{
		"kinds[1]: is a kind of which no subscriber is told: leave it out, or ask for conference.concluded, enquiry.concluded, " +
			"medical.concluded, police_protection.ended, protection_plan.ended, protection_plan.started, referral.decided, " +
			"return_interview.completed, strategy_meeting.concluded",
		"kinds[2]: is not a kind of event: give kinds such as conference.concluded",
	})
	health.asks(&subscriptionv1.RequestRequest{Kinds: []string{"conference.concluded"}, Area: apptest.Ashmere})
}
