package rpc

import (
	"cmp"
	"context"
	"slices"
	"strings"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type meetingService struct {
	meetingv1.UnimplementedMeetingServiceServer
	Deps
	key notice.Key
}

// Reply answers an invitation for the caller's organisation. An invitation that is another's is not found, as one that
// does not exist.
func (s *meetingService) Reply(ctx context.Context, req *meetingv1.ReplyRequest) (*meetingv1.ReplyResponse, error) {
	const op = "rpc.Reply"
	c := callerOf(ctx)
	var own, had, invites, stands, begun, again, often bool
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		if n := state.Notices[req.GetNotice()]; n != nil {
			own, had = c.may(n.Organisation), c.Kind == identity.Operator || sentTo(n, c)
			invites, stands = n.Invitation != nil, state.Stands(n) && n.Phase != ledger.Held
			begun = n.Invitation.GetMeetsMs() <= s.Clock.Now().UnixMilli()
			again, often = state.SaidAlready(n, c.by(), req.GetAnswer()), state.Answers(n, c.by()) >= ledger.MostAnswers
		}
	}); err != nil {
		return nil, err
	}
	switch { // before a name is kept that nothing refers to
	case !own:
		return nil, notice.Faultf(notice.NotFound, op, "there is no such invitation for your organisation")
	case !invites:
		return nil, notice.Faultf(notice.Precondition, op, "the notice invites to no meeting: acknowledge it with InboxService.Acknowledge")
	case !stands:
		return nil, notice.Faultf(notice.Precondition, op, "the invitation does not stand: the meeting was moved or called off; answer the newest")
	case begun:
		return nil, notice.Faultf(notice.Precondition, op, "the meeting has started: telephone whoever called it, and acknowledge the notice")
	case !had:
		return nil, notice.Faultf(notice.Precondition, op, "the invitation has not been sent to your organisation: nobody there can have read it")
	case again:
		return &meetingv1.ReplyResponse{}, nil
	case often:
		return nil, engine.AnsweredOften(op)
	}
	statement, err := s.Vault.Keep(ctx, ReplyStatement(req.GetPerson(), req.GetDeputy()))
	if err != nil {
		return nil, err
	}
	if err := s.Engine.Reply(ctx, &ledgerv1.Replied{
		Notice: req.GetNotice(), By: c.by(), Means: "grpc", Answer: req.GetAnswer(), Reason: req.GetReason(), Statement: statement,
	}); err != nil {
		return nil, err
	}
	return &meetingv1.ReplyResponse{}, nil
}

// ReplyStatement is what is kept of an answer in words: who gave it, and on a line of its own who comes instead.
func ReplyStatement(person, deputy string) string {
	if deputy == "" {
		return person
	}
	return person + "\n" + deputy
}

// Show says where the invitations to a meeting stand. A meeting that another agency called is not found, as one that
// nobody called.
func (s *meetingService) Show(ctx context.Context, req *meetingv1.ShowRequest) (*meetingv1.ShowResponse, error) {
	const op = "rpc.ShowMeeting"
	c := callerOf(ctx)
	agency := req.GetAgency()
	if c.Kind == identity.Agency {
		agency = cmp.Or(agency, c.Name)
	}
	if agency == "" {
		return nil, notice.InvalidFields(op, []notice.FieldFault{{Field: "agency", Message: "name the agency that called the meeting"}})
	}
	lineage := s.key.ID("lineage", agency, string(notice.StrategyMeetingConvened), req.GetReference())
	response := &meetingv1.ShowResponse{Lineage: lineage}
	var statements map[string]uint64
	found := false
	snapshot, _ := s.Current()
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		l := state.Lineages[lineage]
		if l == nil || c.Kind == identity.Agency && c.Name != string(l.Agency) {
			return
		}
		found = true
		statements = showMeeting(response, state, l)
	}); err != nil {
		return nil, err
	}
	if !found {
		return nil, notice.Faultf(notice.NotFound, op, "no meeting was called under this reference: check it, and the agency")
	}
	for _, invited := range response.Invited {
		invited.Name = snapshot.Name(notice.OrgID(invited.Organisation))
		if statements[invited.Organisation] == 0 {
			continue
		}
		text, err := s.Vault.Get(ctx, statements[invited.Organisation])
		if err != nil && notice.KindOf(err) != notice.NotFound {
			return nil, err
		}
		person, deputy, _ := strings.Cut(text, "\n")
		invited.Comes = cmp.Or(deputy, person)
	}
	return response, nil
}

// showMeeting fills in a meeting, and returns by organisation where its names are kept.
func showMeeting(r *meetingv1.ShowResponse, state *ledger.State, l *ledger.Lineage) map[string]uint64 {
	statements := map[string]uint64{}
	byOrganisation := map[string]*meetingv1.Invited{}
	for _, n := range state.Invitations(l) {
		r.MeetsMs = n.Invitation.GetMeetsMs()
		invited := byOrganisation[n.Organisation]
		if invited == nil {
			invited = &meetingv1.Invited{
				Organisation: n.Organisation, Function: n.Function, Represents: slices.Clone(n.Invitation.GetRepresents()), State: "not_reached",
			}
			byOrganisation[n.Organisation] = invited
			r.Invited = append(r.Invited, invited)
		}
		invited.Notices = append(invited.Notices, n.Id)
		invited.Task = cmp.Or(invited.Task, n.Task)
		asked(invited, n)
		if reply := state.AnswerOf(n); reply != nil {
			invited.AnsweredMs, invited.Reason = reply.AtMS, reply.GetReason()
			invited.State = strings.ToLower(strings.TrimPrefix(reply.GetAnswer().String(), "ANSWER_"))
			if reply.Comes() {
				statements[n.Organisation] = reply.GetStatement()
			}
		}
	}
	counted := map[uint64]bool{}
	for _, reply := range l.Replies { // one act may answer several invitations, each about a child
		invited := byOrganisation[reply.Organisation]
		if invited != nil && reply.MeetsMS == r.MeetsMs && !counted[reply.GetStatement()] {
			counted[reply.GetStatement()] = true
			invited.Answers++
		}
	}
	slices.SortFunc(r.Invited, func(a, b *meetingv1.Invited) int { return cmp.Compare(a.Organisation, b.Organisation) })
	r.Missing = state.Unpromised(l)
	for _, t := range state.AboutMeeting(l) {
		r.Tasks = append(r.Tasks, t.Id)
	}
	return statements
}

// asked says how far one invitation has come.
func asked(invited *meetingv1.Invited, n *ledger.Notice) {
	for i := range n.Attempts {
		if a := &n.Attempts[i]; a.MayHaveArrived() && a.StartedMS >= invited.AskedMs {
			invited.Asked, invited.AskedMs = a.GetRole(), a.StartedMS
		}
	}
	if n.Phase == ledger.Awaiting && (invited.NextMs == 0 || n.WakeMS < invited.NextMs) {
		invited.NextMs = n.WakeMS
	}
	switch {
	case invited.State != "not_reached" && invited.State != "no_answer":
	case n.Telephoned:
		invited.State = "telephone"
	case invited.AskedMs != 0:
		invited.State = "no_answer"
	}
}
