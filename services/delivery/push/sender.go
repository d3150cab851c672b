package push

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Config says how receivers are called.
type Config struct {
	TLS     *tls.Config   // our client certificate and the authorities of receivers
	Timeout time.Duration // of one call; 0 is 15 seconds. A send that waits for a busy receiver takes up to two of them
	Idle    time.Duration // an unused connection is closed after, and reopened when needed; 0 is 5 minutes
}

// waitAndCall is how many timeouts a send may take: one to wait for its turn, one for the call.
const waitAndCall = 2

// Sender calls receivers. It is safe for use by several goroutines.
type Sender struct {
	timeout time.Duration
	options []grpc.DialOption
	log     *zap.Logger

	mu     sync.Mutex
	lines  map[string]*line // by address; the directory bounds how many there are
	closed bool
}

// New checks the configuration. It does not connect.
func New(cfg Config, log *zap.Logger) (*Sender, error) {
	const op = "push.New"
	if cfg.TLS == nil || cfg.TLS.RootCAs == nil {
		return nil, notice.Fault(notice.Invalid, op, errors.New("give the authorities that vouch for receivers"))
	}
	if len(cfg.TLS.Certificates) == 0 && cfg.TLS.GetClientCertificate == nil {
		return nil, notice.Fault(notice.Invalid, op, errors.New("give a client certificate: receivers ask who calls"))
	}
	if cfg.Timeout < 0 || cfg.Idle < 0 {
		return nil, notice.Fault(notice.Invalid, op, errors.New("give times above zero"))
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.Idle == 0 {
		cfg.Idle = 5 * time.Minute
	}
	// A receiver that comes back is found within seconds: the policy, not gRPC, spaces the tries of a notice.
	reconnect := grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
		MinConnectTimeout: 5 * time.Second,
	}
	return &Sender{
		timeout: cfg.Timeout,
		options: []grpc.DialOption{
			grpc.WithTransportCredentials(credentials.NewTLS(cfg.TLS)),
			grpc.WithConnectParams(reconnect),
			grpc.WithIdleTimeout(cfg.Idle),
			grpc.WithStatsHandler(progress{}),
			grpc.WithPerRPCCredentials(lease{}),
			grpc.WithDisableServiceConfig(), // a DNS record must not decide how we retry
			grpc.WithMaxCallAttempts(1),
			grpc.WithUserAgent("signalbox"),
		},
		log:   log,
		lines: make(map[string]*line),
	}, nil
}

// Close closes every connection. Calls under way end, as unknown where the notice had left.
func (s *Sender) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for address, l := range s.lines {
		_ = l.conn.Close()
		delete(s.lines, address)
	}
}

// Send hands the message's notice to the receiver at its endpoint.
func (s *Sender) Send(ctx context.Context, m delivery.Message) delivery.Result {
	l, err := s.line(m.Endpoint.Address)
	if err != nil {
		return delivery.Result{Outcome: delivery.Permanent, Detail: err.Error()}
	}
	result := l.deliver(&handover{ctx: ctx, until: time.Now().Add(waitAndCall * s.timeout), urgent: m.Urgent, request: &noticev1.DeliverRequest{
		Notice:            m.Notice,
		IdempotencyKey:    IdempotencyKey(m.Notice),
		PossibleDuplicate: m.PossibleDuplicate,
	}})
	if result.Outcome != delivery.Delivered {
		s.log.Warn("a receiver did not take a notice", zap.String("notice", m.Notice.GetId()),
			zap.String("contact", m.Endpoint.Contact), zap.Stringer("outcome", result.Outcome), zap.String("detail", result.Detail))
	}
	return result
}

// IdempotencyKey is the same for every try of a notice.
func IdempotencyKey(n *noticev1.Notice) string {
	return fmt.Sprintf("%s/%d", n.GetId(), n.GetVersion())
}

var (
	errAddress = errors.New("grpc address malformed")
	errClosed  = errors.New("grpc sender closed")
)

func (s *Sender) line(address string) (*line, error) {
	// Host and port only: a scheme would pick a resolver, and with it a socket of this machine.
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.ContainsAny(host, "/ ") {
		return nil, errAddress
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, errAddress
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if l, ok := s.lines[address]; ok {
		return l, nil
	}
	conn, err := grpc.NewClient("dns:///"+address, s.options...)
	if err != nil {
		return nil, errAddress
	}
	l := newLine(conn, s.timeout)
	s.lines[address] = l
	return l, nil
}
