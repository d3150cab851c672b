package apptest

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
)

// Receiver is an agency's own system, that notices are pushed to. It behaves as a test tells it, and stores each notice
// once, by its idempotency key. It keeps its address over all its ups and downs.
type Receiver struct {
	noticev1.UnimplementedNoticeReceiverServiceServer
	rig     *Rig
	options []grpc.ServerOption
	addr    string
	down    func()

	mu       sync.Mutex
	conduct  Conduct
	listener *cuttable
	calls    int
	keys     map[string]bool
	pushed   []Push
}

// Push is a call whose notice was stored, as much as is kept of it.
type Push struct {
	Notice  string // its id
	Key     string // the idempotency key
	Subject string // of the event that it tells of
	Marked  bool   // as a possible duplicate
	At      time.Time
}

// Conduct is how a receiver behaves. The zero is one as it should be. The context ends with the call.
type Conduct struct {
	Batches bool // takes several notices in a call

	Before func(ctx context.Context, req *noticev1.DeliverRequest) error // an error is the answer, and nothing is stored
	After  func(ctx context.Context, req *noticev1.DeliverRequest) error // an error is the answer, though it is stored
}

// Receiver makes a receiver that the service's authority vouches for, and that is down; after Boot.
func (r *Rig) Receiver() *Receiver {
	r.T.Helper()
	ca, err := identity.LoadCA(filepath.Join(r.Data, "ca"))
	r.must(err)
	pair, err := ca.IssueServer(identity.ServerRequest{
		DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: time.Now(), Validity: time.Hour,
	})
	r.must(err)
	config, err := identity.ServerTLS(pair, ca.Pool())
	r.must(err)
	v := &Receiver{
		rig: r, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(r.T))), options: []grpc.ServerOption{grpc.Creds(credentials.NewTLS(config))},
		down: func() {}, keys: map[string]bool{},
	}
	r.T.Cleanup(func() { v.Down() })
	return v
}

// Addr is where the receiver is called, host:port.
func (v *Receiver) Addr() string { return v.addr }

// Down ends every call and connection, and refuses new ones.
func (v *Receiver) Down() { v.down(); v.down = func() {} }

// Up has the receiver answer its calls so from now on. Calls from before end.
func (v *Receiver) Up(c Conduct) {
	v.rig.T.Helper()
	v.Down()
	inner, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", v.addr)
	v.rig.must(err)
	listener := &cuttable{Listener: inner, conns: map[net.Conn]struct{}{}}
	v.mu.Lock()
	v.conduct, v.listener = c, listener
	v.mu.Unlock()
	server := grpc.NewServer(v.options...)
	noticev1.RegisterNoticeReceiverServiceServer(server, v)
	v.down = v.rig.background("receiver", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, server.Stop)
		defer stop()
		if err := server.Serve(listener); err != nil && ctx.Err() == nil {
			return err
		}
		_ = listener.Close() // the server knows it only once it serves
		return nil
	})
}

// Cut closes every connection, with the calls on it.
func (v *Receiver) Cut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.listener.Cut()
}

// Deliver takes a notice.
func (v *Receiver) Deliver(ctx context.Context, req *noticev1.DeliverRequest) (*noticev1.DeliverResponse, error) {
	v.mu.Lock()
	v.calls++
	conduct := v.conduct
	v.mu.Unlock()
	if conduct.Before != nil {
		if err := conduct.Before(ctx, req); err != nil {
			return nil, err
		}
	}
	v.mu.Lock()
	v.keys[req.IdempotencyKey] = true
	v.pushed = append(v.pushed, Push{
		Notice: req.Notice.GetId(), Key: req.IdempotencyKey, Subject: req.Notice.GetEvents()[0].GetSubject(),
		Marked: req.PossibleDuplicate, At: time.Now(),
	})
	v.mu.Unlock()
	if conduct.After != nil {
		if err := conduct.After(ctx, req); err != nil {
			return nil, err
		}
	}
	return &noticev1.DeliverResponse{}, nil
}

// DeliverBatch takes several, where the conduct has it.
func (v *Receiver) DeliverBatch(ctx context.Context, req *noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
	v.mu.Lock()
	takes := v.conduct.Batches
	v.mu.Unlock()
	if !takes {
		return nil, status.Error(codes.Unimplemented, "one notice in a call")
	}
	response := &noticev1.DeliverBatchResponse{}
	for _, one := range req.GetDeliveries() {
		_, err := v.Deliver(ctx, one)
		if ctx.Err() != nil {
			return nil, ctx.Err() // nobody hears of the others
		}
		result := &noticev1.DeliveryResult{Code: int32(status.Code(err))}
		for _, detail := range status.Convert(err).Details() {
			if info, ok := detail.(*errdetails.RetryInfo); ok {
				result.RetryAfter = info.GetRetryDelay()
			}
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

// Calls is for how many notices the receiver was called, each time counted.
func (v *Receiver) Calls() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.calls
}

// Stored is how many notices the receiver has, each counted once.
func (v *Receiver) Stored() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.keys)
}

// Pushed is what was stored, the second copy of a notice as well, oldest first.
func (v *Receiver) Pushed() []Push {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Push(nil), v.pushed...)
}
