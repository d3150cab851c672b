package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
)

// receiver takes pushes as the systems of five agencies would, each at an address of its own, and stores nothing.
type receiver struct {
	noticev1.UnimplementedNoticeReceiverServiceServer
	listeners []net.Listener
	server    *grpc.Server
	arrived   atomic.Pointer[func(subject string)]
}

// newReceiver listens on loopback, with a certificate of the authority that vouches for receivers.
func newReceiver(ca *identity.CA) (*receiver, error) {
	pair, err := loopbackPair(ca)
	if err != nil {
		return nil, err
	}
	config, err := identity.ServerTLS(pair, ca.Pool())
	if err != nil {
		return nil, err
	}
	r := &receiver{server: grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0))))}
	noticev1.RegisterNoticeReceiverServiceServer(r.server, r)
	for range recipients {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			r.server.Stop()
			return nil, errors.Join(err, r.closeListeners())
		}
		r.listeners = append(r.listeners, listener)
	}
	return r, nil
}

func (r *receiver) closeListeners() error {
	var all error
	for _, l := range r.listeners {
		all = errors.Join(all, l.Close())
	}
	return all
}

func (r *receiver) addresses() []string {
	var all []string
	for _, l := range r.listeners {
		all = append(all, l.Addr().String())
	}
	return all
}

// run serves until the context ends.
func (r *receiver) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, r.server.Stop)
	defer stop()
	var group errgroup.Group
	for _, listener := range r.listeners {
		group.Go(func() error {
			if err := r.server.Serve(listener); err != nil && ctx.Err() == nil {
				r.server.Stop() // and with it the other listeners
				return err
			}
			return nil
		})
	}
	return group.Wait()
}

// Deliver takes one notice.
func (r *receiver) Deliver(_ context.Context, req *noticev1.DeliverRequest) (*noticev1.DeliverResponse, error) {
	events := req.GetNotice().GetEvents()
	if len(events) != 1 {
		return nil, status.Error(codes.InvalidArgument, "a notice tells of one event here")
	}
	if arrived := r.arrived.Load(); arrived != nil {
		(*arrived)(events[0].GetSubject())
	}
	return &noticev1.DeliverResponse{}, nil
}

// DeliverBatch takes several.
func (r *receiver) DeliverBatch(ctx context.Context, req *noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
	response := &noticev1.DeliverBatchResponse{Results: make([]*noticev1.DeliveryResult, len(req.GetDeliveries()))}
	for i, one := range req.GetDeliveries() {
		_, err := r.Deliver(ctx, one)
		response.Results[i] = &noticev1.DeliveryResult{Code: int32(status.Code(err))}
	}
	return response, nil
}

// relay takes mail under TLS and drops it.
type relay struct {
	listener net.Listener
	server   *smtp.Server
	taken    atomic.Int64
}

func newRelay(ca *identity.CA) (*relay, error) {
	pair, err := loopbackPair(ca)
	if err != nil {
		return nil, err
	}
	config, err := identity.PublicServerTLS(pair)
	if err != nil {
		return nil, err
	}
	r := &relay{}
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	r.server = smtp.NewServer(r)
	r.server.Domain, r.server.TLSConfig = "relay.example", config
	r.server.ReadTimeout, r.server.WriteTimeout = time.Minute, time.Minute
	r.server.MaxMessageBytes = 4 << 20
	return r, nil
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

func (r *relay) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = r.server.Close() })
	defer stop()
	if err := r.server.Serve(r.listener); err != nil && ctx.Err() == nil && !errors.Is(err, smtp.ErrServerClosed) {
		return err
	}
	return nil
}

// NewSession begins a session.
func (r *relay) NewSession(c *smtp.Conn) (smtp.Session, error) { return &mailSession{r, c}, nil }

type mailSession struct {
	relay *relay
	conn  *smtp.Conn
}

// Mail takes the sender, under TLS only.
func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if _, secured := s.conn.TLSConnectionState(); !secured {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Must issue a STARTTLS command first"}
	}
	return nil
}

// Rcpt takes a recipient.
func (s *mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Data takes the message.
func (s *mailSession) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	s.relay.taken.Add(1)
	return nil
}

// Reset forgets the message begun.
func (*mailSession) Reset() {}

// Logout ends the session.
func (*mailSession) Logout() error { return nil }
