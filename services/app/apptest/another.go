package apptest

import (
	"context"

	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// Another is the world as another instance sees it: the same clock, mail and data folder, and a service of its own, which
// is not booted yet.
func (r *Rig) Another(instance string, change func(*app.Config)) *Rig {
	r.T.Helper()
	other := &Rig{T: r.T, Clock: r.Clock, Mail: r.Mail, Data: r.Data, Config: r.Config, ReloadNATS: r.ReloadNATS, log: r.log}
	other.Config.Instance = instance
	if change != nil {
		change(&other.Config)
	}
	return other
}

// Leads says whether an instance leads, as its health service has it.
func (r *Rig) Leads(ctx context.Context) bool {
	answer, err := grpc_health_v1.NewHealthClient(r.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: rpc.LeaderService})
	return err == nil && answer.Status == grpc_health_v1.HealthCheckResponse_SERVING
}

// AwaitLead waits until an instance leads, or until it no longer does.
func (r *Rig) AwaitLead(leads bool) {
	r.T.Helper()
	what := r.Config.Instance + " to lead"
	if !leads {
		what = r.Config.Instance + " to stand by"
	}
	r.await(what, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return r.Leads(ctx) == leads
	})
}

// Stop stops the service in order.
func (r *Rig) Stop() {
	r.T.Helper()
	_ = r.conn.Close()
	r.stop()
}
