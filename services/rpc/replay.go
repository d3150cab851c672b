package rpc

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type replayService struct {
	replayv1.UnimplementedReplayServiceServer
	Deps
}

// Plan says what a replay would do. It records and sends nothing.
func (s *replayService) Plan(ctx context.Context, req *replayv1.PlanRequest) (*replayv1.PlanResponse, error) {
	chosen, err := s.chosen("rpc.Plan", req.GetSelection())
	if err != nil {
		return nil, err
	}
	plan, err := s.Engine.PlanReplay(ctx, chosen)
	return &replayv1.PlanResponse{Plan: plan}, err
}

// Confirm carries out a plan that was seen. It is held against the present before the reason is kept, and once more by
// the instance that leads.
func (s *replayService) Confirm(ctx context.Context, req *replayv1.ConfirmRequest) (*replayv1.ConfirmResponse, error) {
	const op = "rpc.Confirm"
	chosen, err := s.chosen(op, req.GetSelection())
	if err != nil {
		return nil, err
	}
	plan, err := s.Engine.PlanReplay(ctx, chosen)
	switch {
	case err != nil:
		return nil, err
	case plan.GetDigest() == "":
		return nil, notice.Faultf(notice.Precondition, op, "a replay would change nothing: there is nothing to confirm")
	case plan.GetDigest() != req.GetDigest():
		return &replayv1.ConfirmResponse{Plan: plan}, nil
	}
	asked := proto.CloneOf(chosen)
	asked.Digest, asked.By = req.GetDigest(), callerOf(ctx).by()
	if asked.Statement, err = s.Vault.Keep(ctx, req.GetReason()); err != nil {
		return nil, err
	}
	if err = s.Engine.Replay(ctx, asked); err == nil {
		return &replayv1.ConfirmResponse{Done: true, Plan: plan}, nil
	}
	if notice.KindOf(err) != notice.Conflict {
		return nil, err
	}
	plan, err = s.Engine.PlanReplay(ctx, chosen)
	return &replayv1.ConfirmResponse{Plan: plan}, err
}

// chosen reads a selection: one event, or a span of time.
func (s *replayService) chosen(op string, sel *replayv1.Selection) (*ledgerv1.Replayed, error) {
	agency := notice.AgencyID(sel.GetAgency())
	chosen := &ledgerv1.Replayed{Agency: sel.GetAgency(), Kind: sel.GetKind(), Forced: sel.GetForce()}
	var faults []notice.FieldFault
	fault := func(field, message string) {
		faults = append(faults, notice.FieldFault{Field: "selection." + field, Message: message})
	}
	if snapshot, _ := s.Current(); sel.GetAgency() != "" {
		if _, ok := snapshot.Agency(agency); !ok {
			fault("agency", "is not an agency that has access: use one that `signalbox agency list` shows")
		}
	}
	if sel.GetKind() != "" && !slices.Contains(notice.EventKinds(), notice.EventKind(sel.GetKind())) {
		fault("kind", "is not a kind of event: give one such as encompass.incident")
	}
	span := sel.GetFrom() != nil || sel.GetUntil() != nil
	switch {
	case sel.GetEvent() != "" && span:
		fault("event", "name one event, or a span of time, not both")
	case sel.GetEvent() != "":
		chosen.Event = s.Engine.EventKey(agency, sel.GetEvent())
	case !sel.GetFrom().IsValid() || !sel.GetUntil().IsValid() || !sel.GetUntil().AsTime().After(sel.GetFrom().AsTime()):
		fault("from", "name one event, or a span of time from an instant until a later one")
	default:
		chosen.FromMs, chosen.UntilMs = sel.GetFrom().AsTime().UnixMilli(), sel.GetUntil().AsTime().UnixMilli()
	}
	if len(faults) > 0 {
		return nil, notice.InvalidFields(op, faults)
	}
	return chosen, nil
}
