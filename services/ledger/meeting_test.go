package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const (
	comes   = ledgerv1.Answer_ANSWER_ACCEPTED
	sends   = ledgerv1.Answer_ANSWER_DEPUTY
	refuses = ledgerv1.Answer_ANSWER_DECLINED
)

func replied(id, contact string, answer ledgerv1.Answer) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Replied{Replied: &ledgerv1.Replied{Notice: id, By: contact, Contact: contact, Answer: answer}}}
}

// invitation is a notice of two links to an organisation that a meeting at minute 200 needs, to be answered by minute 60.
func invitation(id, organisation string, represents ...string) *ledgerv1.Notice {
	n := obligation(id, "child")
	n.Organisation, n.Function = organisation, "attendee"
	n.Chain = []*ledgerv1.Link{{Organisation: organisation, OffsetMinutes: -30}, {Organisation: organisation}}
	n.Invitation = &ledgerv1.Invitation{MeetsMs: ms(200), Represents: represents}
	return n
}

// calls takes in an event that calls a meeting, decides on invitations and sends each to a contact of its own.
func (b *book) calls(invitations ...*ledgerv1.Notice) {
	b.t.Helper()
	b.event(0, "e1", "l")
	b.must(0, decided(decision("l", 1, invitations...)))
	for _, n := range invitations {
		b.must(1, started(n.Id, 1, 0, "one of "+n.Organisation, 5))
		b.must(2, finished(n.Id, 1, delivered, 0))
	}
	b.plan(0)
}

func gap(id, function string) *ledgerv1.Task {
	return &ledgerv1.Task{
		Id: id, Kind: ledgerv1.TaskKind_TASK_KIND_GAP, Organisation: "council", Lineage: "l", DueMs: ms(100), MeetsMs: ms(200), Represents: function,
	}
}

func TestARefusalMovesAnInvitationOnAtOnceAndNotToTheSameLink(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("n", "police", "police"))
	b.must(10, replied("n", "one of police", refuses))
	b.phase("n", Ready)
	b.expect(10, "send n link 0")
	if _, declined := b.state.DeclinedHere(b.state.Notices["n"]); !declined {
		t.Error("the link does not know that whoever was asked has declined")
	}
	b.must(10, escalated("n", 1))
	if _, declined := b.state.DeclinedHere(b.state.Notices["n"]); declined {
		t.Error("the next link is taken to have declined")
	}
	b.must(10, started("n", 2, 1, "two of police", 15))
	b.must(11, replied("n", "one of police", comes)) // an old link: the last word stands
	if b.state.HasDeclined(b.state.Notices["n"], "one of police") || !b.state.AnswerOf(b.state.Notices["n"]).Comes() {
		t.Error("the answer before the last stands")
	}
	b.must(11, acknowledged("n", "one of police"))
	b.faultless(20)
}

func TestARefusalDuringASendMovesOnOnceThatHasEnded(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, decided(decision("l", 1, invitation("n", "police", "police"))))
	b.must(1, started("n", 1, 0, "one of police", 5))
	b.must(2, replied("n", "one of police", refuses))
	b.phase("n", Sending)
	b.must(3, finished("n", 1, delivered, 0))
	b.phase("n", Ready)
}

func TestARefusalByAnOldLinkLeavesTheChainWhereItIs(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("n", "police", "police"))
	b.must(30, escalated("n", 1))
	b.must(31, started("n", 2, 1, "two of police", 40))
	b.must(32, finished("n", 2, delivered, 0))
	b.must(33, replied("n", "one of police", refuses))
	b.phase("n", Awaiting)
	b.expect(33, "")
}

func TestARefusalAfterAnAcceptanceHasSomebodyElseAsked(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("n", "police", "police"))
	b.must(10, replied("n", "one of police", comes))
	b.must(10, acknowledged("n", "one of police"))
	b.expect(10, "")
	b.must(20, replied("n", "one of police", refuses))
	b.phase("n", Acknowledged)
	if n := b.state.Notices["n"]; !n.Declined || b.state.Lineages["l"].Undecided != ledgerv1.Cause_CAUSE_REPLY {
		t.Errorf("declined %v, undecided %v", n.Declined, b.state.Lineages["l"].Undecided)
	}
	instead := invitation("n2", "police", "police")
	instead.Invitation.InsteadOf = "n"
	d := decision("l", 2, instead)
	d.Cause, d.Kept = ledgerv1.Cause_CAUSE_REPLY, []string{"n"}
	b.must(20, decided(d))
	if !b.state.HasDeclined(b.state.Notices["n2"], "one of police") {
		t.Error("whoever has declined is asked again")
	}
	b.faultless(20)
}

func TestWhatTheMeetingNeedsIsLookedAtWhenItsAnswerIsDue(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("p", "police", "police"), invitation("h", "health", "health"), invitation("s", "school"))
	b.must(10, replied("h", "one of health", sends))
	b.must(10, acknowledged("h", "one of health"))
	for _, id := range []string{"p", "s"} {
		b.must(30, escalated(id, 1))
		b.must(59, started(id, 2, 1, "two", 61))
		b.must(59, finished(id, 2, delivered, 0))
	}
	// Once for the decision, once for what was answered since; the second finds that the first has asked somebody.
	b.expect(60, "tell late p, tell late s, move on p, move on s, check the meeting of p, check the meeting of p")
	if diff := cmp.Diff([]string{"police"}, b.state.Unpromised(b.state.Lineages["l"])); diff != "" {
		t.Errorf("promised by nobody (-want +got):\n%s", diff)
	}
	b.must(60, opened(gap("t", "police")))
	if missing := b.state.Missing(b.state.Notices["p"]); len(missing) > 0 {
		t.Errorf("a person sees to it already: %v", missing)
	}
	b.must(70, replied("p", "two", comes))
	b.must(70, acknowledged("p", "two"))
	b.must(70, resolved(&ledgerv1.TaskResolved{Task: "t", By: "two", Resolution: Represented}))
	b.must(80, replied("p", "two", refuses))
	b.expect(80, "decide l, check the meeting of p, check the meeting of p")
}

func TestWhatIsWithAPersonIsAskedOnce(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("p", "police", "police"))
	b.must(20, escalated("p", 2))
	b.must(20, opened(&ledgerv1.Task{Id: "t", Kind: ledgerv1.TaskKind_TASK_KIND_EXHAUSTED, Organisation: "council", Lineage: "l", Notice: "p", DueMs: ms(90)}))
	b.expect(60, "tell late p")
	b.must(70, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: ToldByTelephone}))
	b.expect(1000, "")
}

func TestAMeetingThatIsMovedKnowsOfNoAnswer(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("n", "police", "police"))
	b.must(10, replied("n", "one of police", refuses))
	moved := invitation("n2", "police", "police")
	moved.Invitation.MeetsMs = ms(400)
	d := decision("l", 2, moved)
	d.Superseded = []*ledgerv1.Superseded{{Notice: "n", By: "n2"}}
	b.must(20, decided(d))
	if n := b.state.Notices["n2"]; b.state.AnswerOf(n) != nil || b.state.HasDeclined(n, "one of police") {
		t.Error("an answer about another time counts")
	}
	b.refuses(21, replied("n", "one of police", comes))
	b.phase("n2", Ready)
}

func TestAMeetingThatIsMovedAndMovedBackKnowsOfNoAnswerEither(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("p", "police", "police"), invitation("h", "health", "health"))
	b.must(10, replied("p", "one of police", comes))
	b.must(10, acknowledged("p", "one of police"))
	b.must(11, replied("h", "one of health", refuses))
	move := func(minute int64, round uint32, suffix string, meets int64) {
		var invitations []*ledgerv1.Notice
		for _, id := range []string{"p", "h"} {
			organisation := map[string]string{"p": "police", "h": "health"}[id]
			n := invitation(id+suffix, organisation, organisation)
			n.Invitation.MeetsMs = ms(meets)
			invitations = append(invitations, n)
		}
		d := decision("l", round, invitations...)
		for i, old := range b.state.Lineages["l"].Standing {
			d.Superseded = append(d.Superseded, &ledgerv1.Superseded{Notice: old, By: invitations[i].Id})
		}
		b.must(minute, decided(d))
	}
	move(20, 2, "-moved", 400)
	move(30, 3, "-back", 200)
	if n := b.state.Notices["h-back"]; b.state.HasDeclined(n, "one of health") {
		t.Error("whoever could not come before the meeting was moved is not asked anew")
	}
	if diff := cmp.Diff([]string{"health", "police"}, b.state.Unpromised(b.state.Lineages["l"])); diff != "" {
		t.Errorf("promised by nobody (-want +got):\n%s", diff)
	}
}

func TestAnAnswerIsRefusedWhereNothingWasAsked(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	held := invitation("held", "police")
	held.ReleaseMs = ms(30)
	b.must(0, decided(decision("l", 1, obligation("n", "child"), held)))
	for _, f := range []*ledgerv1.Fact{
		replied("n", "dsl", comes), replied("nowhere", "dsl", comes), replied("held", "dsl", refuses), replied("held", "", comes), replied("held", "dsl", 0),
	} {
		b.refuses(1, f)
	}
}

func TestAnAutomaticReplyDoesNotUndoARefusal(t *testing.T) {
	b := newBook(t)
	b.calls(invitation("n", "police", "police"))
	b.must(10, replied("n", "one of police", refuses))
	b.must(11, returned("n", 1, autoReply, false))
	if !b.state.Notices["n"].Away("one of police") {
		t.Error("whoever has declined counts as there again")
	}
}

// invite makes some of the notices of a meeting's lineage invitations.
func (m *model) invite(r *rapid.T, l *Lineage, n *ledgerv1.Notice) {
	if l.ID != "l2" || l.Deletion != nil || !rapid.Bool().Draw(r, "invites") {
		return
	}
	n.Acknowledge = true
	n.Invitation = &ledgerv1.Invitation{MeetsMs: ms(rapid.SampledFrom([]int64{500, 900}).Draw(r, "meets"))}
	if rapid.Bool().Draw(r, "required") {
		n.Invitation.Represents = []string{rapid.SampledFrom([]string{"police", "health"}).Draw(r, "represents")}
	}
}

// reply draws an answer, and does with it what the engine does.
func (m *model) reply(r *rapid.T) {
	n := m.pick(r)
	if n == nil || n.Invitation == nil || !m.state.Stands(n) || n.Phase == Held {
		return
	}
	contact := "nobody asked"
	if len(n.Attempts) > 0 {
		contact = rapid.SampledFrom(n.Attempts).Draw(r, "by").Contact
	}
	answer := rapid.SampledFrom([]ledgerv1.Answer{comes, sends, refuses, refuses}).Draw(r, "answer")
	m.fact(replied(n.Id, contact, answer))
	if answer == refuses {
		return
	}
	if !n.Phase.Ended() {
		m.fact(acknowledged(n.Id, contact))
	}
	for _, t := range m.state.AboutMeeting(m.state.Lineages[n.Lineage]) {
		if t.MeetsMs == n.Invitation.MeetsMs && len(n.Invitation.Represents) > 0 && t.Represents == n.Invitation.Represents[0] {
			m.fact(resolved(&ledgerv1.TaskResolved{Task: t.Id, By: contact, Resolution: Represented}))
		}
	}
}

func (m *model) checkMeeting(n *Notice) {
	for _, function := range m.state.Missing(n) {
		t := gap(m.name("t"), function)
		t.Lineage, t.MeetsMs, t.DueMs, t.EscalateTo = n.Lineage, n.Invitation.MeetsMs, ms(m.now+20), "council"
		m.fact(opened(t))
	}
}
