package rpc

import (
	"context"
	"slices"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/query"
)

// Query is the read model.
type Query interface {
	// Timeline and the others are Unavailable while the read model is not to be had.
	Timeline(ctx context.Context, of query.Subject) ([]*ledgerv1.Fact, error)
	Search(ctx context.Context, req *ledgerv1.SearchRequest) (*ledgerv1.SearchResponse, error)
	Overdue(ctx context.Context, nowMS int64) ([]*ledgerv1.Overdue, error)
}

// QueryService is the name under which the health service says whether the read model has reached the ledger's end.
const QueryService = "signalbox.query"

// SetReading has the health service say whether the read model has reached the ledger's end.
func (s *Server) SetReading(current bool) {
	status := healthv1.HealthCheckResponse_NOT_SERVING
	if current {
		status = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus(QueryService, status)
}

// Search lists notices, the newest first. What was decided about a child before its whereabouts were sealed is not found
// by the child, and does not name it.
func (s *ledgerService) Search(ctx context.Context, req *ledgerv1.SearchRequest) (*ledgerv1.SearchResponse, error) {
	snapshot, _ := s.Current()
	if sealedChild(snapshot, req.GetChild()) {
		req.Child = "nobody\x00" // no key of the ledger: the answer is the one about a child nobody knows
	}
	response, err := s.Query.Search(ctx, req)
	for _, n := range response.GetNotices() {
		if sealedChild(snapshot, n.GetChild()) {
			n.Child = ""
		}
	}
	return response, err
}

func sealedChild(snapshot *directory.Snapshot, child string) bool {
	return child != "" && slices.ContainsFunc(snapshot.Restrictions(notice.ChildID(child)), directory.Seals)
}
