package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type taskService struct {
	taskv1.UnimplementedTaskServiceServer
	Deps
	key notice.Key
}

// List returns the tasks that the caller may see, soonest due first.
func (s *taskService) List(ctx context.Context, req *taskv1.ListRequest) (*taskv1.ListResponse, error) {
	c := callerOf(ctx)
	now := s.Clock.Now().UnixMilli()
	if org := req.GetOrganisation(); org != "" && !c.may(org) {
		return nil, notice.Faultf(notice.Denied, "rpc.List", "an agency sees its own organisation's tasks: leave organisation empty")
	}
	var matters []matter
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		for _, t := range state.TasksByDue(req.GetAll()) {
			if c.may(t.Organisation) && (req.GetOrganisation() == "" || t.Organisation == req.GetOrganisation()) {
				matters = append(matters, matterOf(state, t, now))
			}
		}
	}); err != nil {
		return nil, err
	}
	response := &taskv1.ListResponse{}
	for _, m := range matters {
		for _, reported := range m.reports {
			// A reference that cannot be read now is left out: the task itself must be seen.
			if body, err := s.Engine.Body(ctx, reported.source); err == nil {
				m.item.References = appendNew(m.item.References, body.GetSubject())
			}
		}
		response.Items = append(response.Items, m.item)
	}
	return response, nil
}

// item shows a task as it stands: with its owner and due time of now, not of when it was opened.
func item(t *ledger.Task, nowMS int64) *taskv1.Item {
	task := proto.CloneOf(t.Task)
	task.Organisation, task.Role, task.DueMs = t.Organisation, t.Role, t.DueMS
	return &taskv1.Item{
		Task: task, State: t.State.String(), By: t.By, Resolution: t.Resolution,
		Overdue: !t.Ended() && t.DueMS <= nowMS,
	}
}

// Claim records that the caller works on a task.
func (s *taskService) Claim(ctx context.Context, req *taskv1.ClaimRequest) (*taskv1.ClaimResponse, error) {
	c := callerOf(ctx)
	if err := s.own(ctx, c, req.GetTask()); err != nil {
		return nil, err
	}
	if err := s.Engine.ClaimTask(ctx, req.GetTask(), c.by()); err != nil {
		return nil, err
	}
	return &taskv1.ClaimResponse{}, nil
}

// Resolve ends a task. The reason goes to the vault, its number to the ledger.
func (s *taskService) Resolve(ctx context.Context, req *taskv1.ResolveRequest) (*taskv1.ResolveResponse, error) {
	c := callerOf(ctx)
	if err := s.own(ctx, c, req.GetTask()); err != nil {
		return nil, err
	}
	statement, err := s.Vault.Keep(ctx, reasonOf(req))
	if err != nil {
		return nil, err
	}
	resolved := &ledgerv1.TaskResolved{
		Task: req.GetTask(), By: c.by(), Resolution: req.GetResolution(), Statement: statement,
	}
	switch req.GetResolution() {
	case ledger.Matched:
		resolved.Child = req.GetChild()
	case ledger.SettingChosen:
		resolved.Settings = req.GetSettings()
	case ledger.SafeToAsk:
		resolved.Except = req.GetExcept()
	}
	if err := s.Engine.ResolveTask(ctx, resolved); err != nil {
		return nil, err
	}
	return &taskv1.ResolveResponse{}, nil
}

// reasonOf is what is kept of a resolution in words: of a call also who answered, and how the caller made sure who it was.
func reasonOf(req *taskv1.ResolveRequest) string {
	if req.GetResolution() != ledger.ToldByTelephone {
		return req.GetReason()
	}
	return "Answered: " + req.GetAnswered() + "\nVerified: " + req.GetVerified() + "\n" + req.GetReason()
}

// own makes sure that a task is open and the caller's to work on. A task that is another's is not found, as one that
// does not exist.
func (s *taskService) own(ctx context.Context, c caller, id string) error {
	const op = "rpc.own"
	var own bool
	var state ledger.TaskState
	if err := s.Engine.View(ctx, func(st *ledger.State) {
		if t := st.Tasks[id]; t != nil {
			own, state = c.may(t.Organisation), t.State
		}
	}); err != nil {
		return err
	}
	switch {
	case !own:
		return notice.Faultf(notice.NotFound, op, "there is no such task for you")
	case state == ledger.TaskResolved || state == ledger.TaskSettled:
		return notice.Faultf(notice.Precondition, op, "the task is %s already", state)
	}
	return nil
}
