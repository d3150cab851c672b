package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// inbox is the health trust's system: a receiver that Signalbox pushes notices to.
type inbox struct {
	noticev1.UnimplementedNoticeReceiverServiceServer
	address string

	mu   sync.Mutex
	came []*noticev1.Notice
}

// openInbox runs the receiver, for callers that the service's authority vouches for.
func (w *world) openInbox(ctx context.Context, group *errgroup.Group, _ *zap.Logger) error {
	ca, err := identity.LoadCA(filepath.Join(w.data, "ca"))
	if err != nil {
		return err
	}
	pair, err := loopbackPair(ca)
	if err != nil {
		return err
	}
	config, err := identity.ServerTLS(pair, ca.Pool())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: the receiver: %w", err)
	}
	w.inbox = &inbox{address: listener.Addr().String()}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	noticev1.RegisterNoticeReceiverServiceServer(server, w.inbox)
	group.Go(func() error {
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			return fmt.Errorf("demo: the receiver: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		server.Stop()
		return nil
	})
	return nil
}

// Deliver stores a notice.
func (i *inbox) Deliver(_ context.Context, req *noticev1.DeliverRequest) (*noticev1.DeliverResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.came = append(i.came, req.Notice)
	return &noticev1.DeliverResponse{}, nil
}

// take returns what came since the last time.
func (i *inbox) take() []*noticev1.Notice {
	i.mu.Lock()
	defer i.mu.Unlock()
	came := i.came
	i.came = nil
	return came
}

// workInbox has a person at the health trust acknowledge what needs it, and send a deputy to meetings, in the trust's own
// system.
func (w *world) workInbox(ctx context.Context) error {
	for _, n := range w.inbox.take() {
		if n.Invitation {
			if _, err := w.agencies[health].meets.Reply(ctx, &meetingv1.ReplyRequest{
				Notice: n.Id, Answer: ledgerv1.Answer_ANSWER_DEPUTY, Person: "C. Abara", Deputy: "N. Okafor",
			}); err != nil {
				return rpc.Fault(err)
			}
			continue
		}
		if !n.Acknowledge {
			continue
		}
		if _, err := w.agencies[health].inbox.Acknowledge(ctx, &inboxv1.AcknowledgeRequest{Notice: n.Id, Person: "C. Abara"}); err != nil {
			return rpc.Fault(err)
		}
	}
	return nil
}
