package rpc

import (
	"context"
	"slices"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// SendingHealth is the service whose gRPC health says whether anything is stopped.
const SendingHealth = "signalbox.sending"

type sendingService struct {
	sendingv1.UnimplementedSendingServiceServer
	Deps
}

// Stop stops sending. Nothing that it covers begins to be sent once it returns.
func (s *sendingService) Stop(ctx context.Context, req *sendingv1.StopRequest) (*sendingv1.StopResponse, error) {
	if err := s.check("rpc.Stop", req.GetScope(), req.GetTarget()); err != nil {
		return nil, err
	}
	statement, err := s.Vault.Keep(ctx, req.GetReason())
	if err != nil {
		return nil, err
	}
	if err := s.Engine.Stop(ctx, &ledgerv1.Stopped{
		Scope: req.GetScope(), Target: req.GetTarget(), By: callerOf(ctx).by(), Statement: statement,
	}); err != nil {
		return nil, err
	}
	stops, _, err := s.inForce(ctx)
	return &sendingv1.StopResponse{Stops: stops}, err
}

// Resume ends a stop. What was stopped may be gone from the directory meanwhile: it is resumed all the same.
func (s *sendingService) Resume(ctx context.Context, req *sendingv1.ResumeRequest) (*sendingv1.ResumeResponse, error) {
	const op = "rpc.Resume"
	standing := false
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		standing = state.Stopped(ledger.Stop{Scope: req.GetScope(), Target: req.GetTarget()})
	}); err != nil {
		return nil, err
	}
	if !standing { // before a reason is kept that nothing refers to
		return nil, notice.Faultf(notice.Precondition, op, "this is not stopped: see what is with `signalbox sending show`")
	}
	statement, err := s.Vault.Keep(ctx, req.GetReason())
	if err != nil {
		return nil, err
	}
	if err := s.Engine.Resume(ctx, &ledgerv1.Resumed{
		Scope: req.GetScope(), Target: req.GetTarget(), By: callerOf(ctx).by(), Statement: statement,
	}); err != nil {
		return nil, err
	}
	stops, _, err := s.inForce(ctx)
	return &sendingv1.ResumeResponse{Stops: stops}, err
}

// Show lists what is stopped, by whom and why.
func (s *sendingService) Show(ctx context.Context, _ *sendingv1.ShowRequest) (*sendingv1.ShowResponse, error) {
	stops, heldBack, err := s.inForce(ctx)
	return &sendingv1.ShowResponse{Stops: stops, HeldBack: heldBack}, err
}

// check holds a stop against what there is: a mistyped one would stop nothing.
func (s *sendingService) check(op string, scope ledgerv1.Scope, target string) error {
	invalid := func(remedy string) error {
		return notice.InvalidFields(op, []notice.FieldFault{{Field: "target", Message: remedy}})
	}
	switch scope {
	case ledgerv1.Scope_SCOPE_ALL:
		if target != "" {
			return invalid("leave it empty to stop every send")
		}
	case ledgerv1.Scope_SCOPE_ORGANISATION:
		snapshot, _ := s.Current()
		_, organisation := snapshot.Organisation(notice.OrgID(target))
		_, setting := snapshot.Setting(notice.OrgID(target))
		if !organisation && !setting {
			return invalid("no such organisation or setting in the directory: see `signalbox directory show organisation`")
		}
	case ledgerv1.Scope_SCOPE_KIND:
		if !slices.Contains(append(notice.EventKinds(), notice.DeletionRequest), notice.EventKind(target)) {
			return invalid("no such kind of event: give one such as encompass.incident")
		}
	case ledgerv1.Scope_SCOPE_CHANNEL:
		if target != delivery.Email && target != delivery.GRPC && target != delivery.Inbox {
			return invalid("no such channel: give email, grpc or inbox")
		}
	case ledgerv1.Scope_SCOPE_UNSPECIFIED:
		return invalid("say what to stop")
	}
	return nil
}

// inForce is every stop with its reason.
func (s *sendingService) inForce(ctx context.Context) ([]*sendingv1.Stop, int64, error) {
	var standing []*ledgerv1.StopInForce
	var heldBack int64
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		standing, heldBack = state.Stops(), state.Summarise().Stopped
	}); err != nil {
		return nil, 0, err
	}
	stops := make([]*sendingv1.Stop, len(standing))
	for i, p := range standing {
		stops[i] = &sendingv1.Stop{InForce: p}
		if p.GetStatement() == 0 {
			continue
		}
		reason, err := s.Vault.Get(ctx, p.GetStatement())
		if err != nil && notice.KindOf(err) != notice.NotFound {
			return nil, 0, err
		}
		stops[i].Reason = reason
	}
	return stops, heldBack, nil
}

// SetSending tells watchers of the health of SendingHealth whether anything is stopped.
func (s *Server) SetSending(stopped bool) {
	status := healthv1.HealthCheckResponse_SERVING
	if stopped {
		status = healthv1.HealthCheckResponse_NOT_SERVING
	}
	s.health.SetServingStatus(SendingHealth, status)
}
