package push

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a real gRPC server on loopback that answers as a test tells it.
type receiver struct {
	noticev1.UnimplementedNoticeReceiverServiceServer
	answer func(ctx context.Context) error

	server   *grpc.Server
	listener net.Listener
	client   Config

	mu       sync.Mutex
	requests []*noticev1.DeliverRequest
	batches  []*noticev1.DeliverBatchRequest
	until    time.Time       // the deadline of the last call for several
	several  several         // nil: there is no such method
	callers  map[string]bool // remote addresses: one per connection
	names    []string        // who the callers were
}

func (r *receiver) Deliver(ctx context.Context, req *noticev1.DeliverRequest) (*noticev1.DeliverResponse, error) {
	p, _ := peer.FromContext(ctx)
	r.mu.Lock()
	r.requests = append(r.requests, req)
	r.callers[p.Addr.String()] = true
	if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
		r.names = append(r.names, info.State.PeerCertificates[0].Subject.CommonName)
	}
	r.mu.Unlock()
	if r.answer != nil {
		if err := r.answer(ctx); err != nil {
			return nil, err
		}
	}
	return &noticev1.DeliverResponse{}, nil
}

func startReceiver(t *testing.T, answer func(context.Context) error) *receiver {
	t.Helper()
	now := time.Now()
	ca, err := identity.CreateCA(t.TempDir(), now, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.IssueServer(identity.ServerRequest{DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: now, Validity: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	serverTLS, err := identity.ServerTLS(pair, ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	caller, err := identity.NewPeer(identity.Operator, "signalbox")
	if err != nil {
		t.Fatal(err)
	}
	clientPair, err := ca.IssueClient(caller, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	clientTLS, err := identity.ClientTLS(clientPair, ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{answer: answer, listener: l, callers: make(map[string]bool), client: Config{TLS: clientTLS, Timeout: 5 * time.Second}}
	r.server = grpc.NewServer(grpc.Creds(credentials.NewTLS(serverTLS)))
	noticev1.RegisterNoticeReceiverServiceServer(r.server, r)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.server.Serve(l)
	}()
	t.Cleanup(func() {
		r.server.Stop()
		_ = l.Close()
		<-done
	})
	return r
}

func (r *receiver) sender(t *testing.T, change func(*Config)) *Sender {
	t.Helper()
	cfg := r.client
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (r *receiver) message() delivery.Message {
	return delivery.Message{
		Notice:   &noticev1.Notice{Id: "abcdefghjkmnpqrstvwx", Version: 2, Kind: "encompass.incident"},
		Endpoint: delivery.Endpoint{Contact: "kestrel-vale-desk", Channel: delivery.GRPC, Address: r.listener.Addr().String()},
	}
}

func TestANoticeIsHandedOverOnOneKeptConnection(t *testing.T) {
	r := startReceiver(t, nil)
	s := r.sender(t, nil)
	m := r.message()
	for i := range 5 {
		m.PossibleDuplicate = i == 1
		got := s.Send(t.Context(), m)
		if want := (delivery.Result{Outcome: delivery.Delivered, Detail: "grpc ok"}); got != want {
			t.Fatalf("result %+v, want %+v", got, want)
		}
	}
	want := &noticev1.DeliverRequest{Notice: m.Notice, IdempotencyKey: "abcdefghjkmnpqrstvwx/2", PossibleDuplicate: true}
	if diff := cmp.Diff(want, r.requests[1], protocmp.Transform()); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if len(r.callers) != 1 {
		t.Errorf("%d connections, want 1", len(r.callers))
	}
	if r.names[0] != "signalbox" {
		t.Errorf("the caller is %q, want signalbox", r.names[0])
	}
}

func TestWhatAReceiverAnswersIsAnOutcome(t *testing.T) {
	busy, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(90 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	forever, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1000 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		answer error
		want   delivery.Result
	}{
		{name: "a refusal of the notice is permanent", answer: status.Error(codes.InvalidArgument, "x"), want: delivery.Result{Outcome: delivery.Permanent, Detail: "grpc invalid argument"}},
		{name: "a refusal of us is permanent", answer: status.Error(codes.PermissionDenied, "x"), want: delivery.Result{Outcome: delivery.Permanent, Detail: "grpc permission denied"}},
		{name: "no such service is permanent", answer: status.Error(codes.Unimplemented, "x"), want: delivery.Result{Outcome: delivery.Permanent, Detail: "grpc unimplemented"}},
		{name: "not now is transient", answer: status.Error(codes.Unavailable, "x"), want: delivery.Result{Outcome: delivery.Transient, Detail: "grpc unavailable"}},
		{name: "a fault of its own is transient", answer: status.Error(codes.Internal, "x"), want: delivery.Result{Outcome: delivery.Transient, Detail: "grpc internal"}},
		{name: "its own deadline is unknown", answer: status.Error(codes.DeadlineExceeded, "x"), want: delivery.Result{Outcome: delivery.Unknown, Detail: "grpc deadline exceeded"}},
		{name: "it has it already", answer: status.Error(codes.AlreadyExists, "x"), want: delivery.Result{Outcome: delivery.Delivered, Detail: "grpc already exists"}},
		{name: "busy says when to come again", answer: busy.Err(), want: delivery.Result{Outcome: delivery.Transient, RetryAfter: 90 * time.Second, Detail: "grpc resource exhausted"}},
		{name: "nobody can ask for next month", answer: forever.Err(), want: delivery.Result{Outcome: delivery.Transient, RetryAfter: longestWait, Detail: "grpc resource exhausted"}},
		{name: "a code nobody knows is transient", answer: status.Error(codes.Code(99), "x"), want: delivery.Result{Outcome: delivery.Transient, Detail: "grpc unknown"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := startReceiver(t, func(context.Context) error { return tc.answer })
			if diff := cmp.Diff(tc.want, r.sender(t, nil).Send(t.Context(), r.message())); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReceiverThatHangsIsUnknownWithinTheTimeout(t *testing.T) {
	r := startReceiver(t, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	s := r.sender(t, func(c *Config) { c.Timeout = 300 * time.Millisecond })
	got := s.Send(t.Context(), r.message())
	if want := (delivery.Result{Outcome: delivery.Unknown, Detail: "grpc deadline exceeded"}); got != want {
		t.Errorf("result %+v, want %+v", got, want)
	}
}

func TestAReceiverThatIsSlowButInTimeIsDelivered(t *testing.T) {
	r := startReceiver(t, func(ctx context.Context) error {
		select {
		case <-time.After(200 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if got := r.sender(t, nil).Send(t.Context(), r.message()); got.Outcome != delivery.Delivered {
		t.Errorf("result %+v, want delivered", got)
	}
}

func TestAConnectionLostWhileTheReceiverWorksIsUnknown(t *testing.T) {
	var r *receiver
	r = startReceiver(t, func(ctx context.Context) error {
		go r.server.Stop() // closes the connections and waits for this handler
		<-ctx.Done()
		return ctx.Err()
	})
	got := r.sender(t, nil).Send(t.Context(), r.message())
	if want := (delivery.Result{Outcome: delivery.Unknown, Detail: "grpc unavailable"}); got != want {
		t.Errorf("result %+v, want %+v", got, want)
	}
}

func TestAReceiverThatIsDownIsTransient(t *testing.T) {
	r := startReceiver(t, nil)
	r.server.Stop()
	_ = r.listener.Close()
	got := r.sender(t, nil).Send(t.Context(), r.message())
	if want := (delivery.Result{Outcome: delivery.Transient, Detail: "grpc unavailable"}); got != want {
		t.Errorf("result %+v, want %+v", got, want)
	}
}

func TestAStrangerWhoAnswersGetsNothing(t *testing.T) {
	r, stranger := startReceiver(t, nil), startReceiver(t, nil)
	m := stranger.message()
	got := r.sender(t, nil).Send(t.Context(), m)
	if want := (delivery.Result{Outcome: delivery.Transient, Detail: "grpc unavailable"}); got != want {
		t.Errorf("result %+v, want %+v", got, want)
	}
	if n := len(stranger.requests); n != 0 {
		t.Errorf("the stranger has %d notices, want none", n)
	}
}

func TestAnAddressIsHostAndPortOnly(t *testing.T) {
	r := startReceiver(t, nil)
	s := r.sender(t, nil)
	for _, address := range []string{"", "localhost", "unix:///tmp/x", ":443", "passthrough:///h:1"} {
		m := r.message()
		m.Endpoint.Address = address
		got := s.Send(t.Context(), m)
		if want := (delivery.Result{Outcome: delivery.Permanent, Detail: "grpc address malformed"}); got != want {
			t.Errorf("address %q: result %+v, want %+v", address, got, want)
		}
	}
}

func TestTheLogHoldsNoWordOfTheReceiver(t *testing.T) {
	r := startReceiver(t, func(context.Context) error { return status.Error(codes.InvalidArgument, "Rowan Hart, born 2016") })
	s := r.sender(t, nil)
	core, logs := observer.New(zap.DebugLevel)
	s.log = zap.New(core)
	s.Send(t.Context(), r.message())
	entries := logs.All()
	if len(entries) != 1 {
		t.Fatalf("%d log entries, want 1", len(entries))
	}
	want := map[string]any{"notice": "abcdefghjkmnpqrstvwx", "contact": "kestrel-vale-desk", "outcome": "permanent", "detail": "grpc invalid argument"}
	if diff := cmp.Diff(want, entries[0].ContextMap()); diff != "" {
		t.Errorf("logged (-want +got):\n%s", diff)
	}
}

func TestASenderWithoutACertificateIsRefused(t *testing.T) {
	r := startReceiver(t, nil)
	noCertificate := r.client.TLS.Clone()
	noCertificate.Certificates = nil
	for _, cfg := range []Config{{}, {TLS: noCertificate}, {TLS: r.client.TLS, Timeout: -1}} {
		if _, err := New(cfg, zap.NewNop()); notice.KindOf(err) != notice.Invalid {
			t.Errorf("error %v, want an invalid fault", err)
		}
	}
}
