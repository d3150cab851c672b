package returns

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book records what it is given, or fails as it is told.
type book struct {
	mu   sync.Mutex
	all  []*ledgerv1.Returned
	fail error
}

func (b *book) Returned(_ context.Context, r *ledgerv1.Returned) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail == nil {
		b.all = append(b.all, r)
	}
	return b.fail
}

type rig struct {
	t      *testing.T
	server *Server
	book   *book
	key    notice.Key
	client *tls.Config
	logs   *observer.ObservedLogs
}

func start(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	ca, err := identity.CreateCA(t.TempDir(), time.Now(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.IssueServer(identity.ServerRequest{DNSNames: []string{"localhost"}, Now: time.Now(), Validity: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	settings, err := identity.PublicServerTLS(pair)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	r := &rig{t: t, book: &book{}, key: notice.Key{7}, logs: logs, client: &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}}
	c := Config{Listen: "127.0.0.1:0", Domain: domain, TLS: settings, Key: r.key}
	if change != nil {
		change(&c)
	}
	if r.server, err = New(c, r.book, zap.New(core)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) dial() *smtp.Client {
	r.t.Helper()
	c, err := smtp.DialStartTLS(r.server.Addr(), r.client)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *rig) address(attempt uint32) string { return Address(r.key, domain, noticeID, attempt) }

func (r *rig) send(to string, raw []byte) error {
	r.t.Helper()
	c := r.dial()
	defer func() { _ = c.Close() }()
	return c.SendMail("", []string{to}, bytes.NewReader(raw))
}

// code is the reply that an error is.
func code(err error) int {
	var reply *smtp.SMTPError
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}

func (r *rig) recorded(want ...*ledgerv1.Returned) {
	r.t.Helper()
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	if diff := cmp.Diff(want, r.book.all, protocmp.Transform()); diff != "" {
		r.t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestABounceIsTakenOverTLSAndRecorded(t *testing.T) {
	r := start(t, nil)
	if err := r.send(r.address(2), sample(t, "postfix-no-such-user")); err != nil {
		t.Fatal(err)
	}
	r.recorded(&ledgerv1.Returned{Notice: noticeID, Attempt: 2, Kind: permanent, Code: "5.1.1"})
}

func TestABounceWithoutTLSIsTakenToo(t *testing.T) {
	r := start(t, nil)
	c, err := smtp.Dial(r.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SendMail("", []string{r.address(1)}, bytes.NewReader(sample(t, "sieve-vacation"))); err != nil {
		t.Fatal(err)
	}
	r.recorded(&ledgerv1.Returned{Notice: noticeID, Attempt: 1, Kind: autoReply})
}

func TestNothingIsRelayedAndNoForgedAddressIsTaken(t *testing.T) {
	for name, to := range map[string]string{
		"an address elsewhere":              "j.marlowe@beacon-row.example",
		"the postmaster here":               "postmaster@" + domain,
		"a token of another key":            Address(notice.Key{8}, domain, noticeID, 1),
		"a token for another domain":        Address(notice.Key{7}, "elsewhere.example", noticeID, 1),
		"another notice with a good number": strings.Replace(Address(notice.Key{7}, domain, noticeID, 1), noticeID, "1"+noticeID[1:], 1),
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			c := r.dial()
			if err := c.Mail("", nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Rcpt(to, nil); code(err) != 550 || strings.Contains(err.Error(), to) {
				t.Errorf("%v", err)
			}
			if _, err := c.Data(); err == nil {
				t.Error("a mail for nobody was taken")
			}
			r.recorded()
		})
	}
}

func TestWhoeverTriesAddressesIsCutOff(t *testing.T) {
	r := start(t, nil)
	c := r.dial()
	if err := c.Mail("", nil); err != nil {
		t.Fatal(err)
	}
	for range maxRefused {
		if err := c.Rcpt("guess@"+domain, nil); err == nil {
			t.Fatal("taken")
		}
	}
	if err := c.Rcpt(r.address(1), nil); err == nil {
		t.Error("the connection is still there")
	}
}

func TestOneMailIsAboutOneAttempt(t *testing.T) {
	r := start(t, nil)
	c := r.dial()
	if err := errors.Join(c.Mail("", nil), c.Rcpt(r.address(1), nil)); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(r.address(2), nil); code(err) != 452 {
		t.Errorf("%v", err)
	}
}

func TestAMailIsTakenOnlyOnceItIsRecorded(t *testing.T) {
	for name, tc := range map[string]struct {
		fail error
		want int
	}{
		"an attempt that never was":     {notice.Faultf(notice.NotFound, "t", "no"), 550},
		"while nobody leads":            {notice.Faultf(notice.Unavailable, "t", "no"), 451},
		"a fault of our own":            {errors.New("secret words"), 451},
		"what the ledger will not take": {notice.Faultf(notice.Invalid, "t", "no"), 451},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			r.book.fail = tc.fail
			err := r.send(r.address(1), sample(t, "qmail"))
			if code(err) != tc.want || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
			r.book.mu.Lock()
			r.book.fail = nil
			r.book.mu.Unlock()
			if err := r.send(r.address(1), sample(t, "qmail")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAMailTooLargeIsRefusedAndChangesNothing(t *testing.T) {
	r := start(t, func(c *Config) { c.MaxBytes = 100_000 })
	big := append(sample(t, "postfix-no-such-user"), bytes.Repeat([]byte("x\r\n"), 100_000)...)
	if err := r.send(r.address(1), big); code(err) != 552 {
		t.Errorf("%v", err)
	}
	r.recorded()
}

func TestAMailThatBreaksOffChangesNothing(t *testing.T) {
	r := start(t, nil)
	c := r.dial()
	if err := errors.Join(c.Mail("", nil), c.Rcpt(r.address(1), nil)); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(sample(t, "postfix-no-such-user")); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := r.send(r.address(2), sample(t, "qmail")); err != nil { // the server is done with the first by then, or will be
		t.Fatal(err)
	}
	r.server.listener.drained(t)
	r.recorded(&ledgerv1.Returned{Notice: noticeID, Attempt: 2, Kind: permanent, Code: "5.1.1"})
}

// drained waits until the server has no connection left.
func (l *limited) drained(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; {
		l.mu.Lock()
		n := len(l.open)
		l.mu.Unlock()
		if n == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatal("connections are still open")
		}
	}
}

func TestMailsComeNoFasterThanAllowed(t *testing.T) {
	r := start(t, func(c *Config) { c.PerSecond = 0.001 })
	if err := r.send(r.address(1), sample(t, "qmail")); err != nil {
		t.Fatal(err)
	}
	if err := r.send(r.address(1), sample(t, "qmail")); code(err) != 450 {
		t.Errorf("%v", err)
	}
}

func TestOneSideHasNoMoreConnectionsThanItsShare(t *testing.T) {
	r := start(t, func(c *Config) { c.PerPeer = 1 })
	held := r.dial()
	conn, err := net.Dial("tcp", r.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.ReadFull(conn, make([]byte, 1)); err == nil {
		t.Error("greeted beyond the limit")
	}
	if err := held.Noop(); err != nil {
		t.Errorf("the first was cut off: %v", err)
	}
}

func TestWhoeverSaysNothingIsCutOff(t *testing.T) {
	r := start(t, func(c *Config) { c.Patience = 5 * time.Millisecond })
	conn, err := net.Dial("tcp", r.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
}

func TestLogsAndRepliesNameNobody(t *testing.T) {
	r := start(t, nil)
	var replies []string
	for name := range mails {
		if err := r.send(r.address(1), sample(t, name)); err != nil {
			replies = append(replies, err.Error())
		}
	}
	if err := r.send("j.marlowe@beacon-row.example", nil); err != nil {
		replies = append(replies, err.Error())
	}
	for _, entry := range r.logs.All() {
		replies = append(replies, entry.Message)
		for _, field := range entry.Context {
			replies = append(replies, field.String)
		}
	}
	for _, text := range replies {
		for _, secret := range []string{"marlowe", "winder", "beacon-row", "ashmere", "@"} {
			if strings.Contains(strings.ToLower(text), secret) {
				t.Errorf("%q names %q", text, secret)
			}
		}
	}
	if len(r.logs.All()) < len(mails) {
		t.Errorf("%d lines logged", len(r.logs.All()))
	}
}

func TestAConfigurationWithoutAPartIsRefused(t *testing.T) {
	for name, c := range map[string]Config{
		"no domain":       {Listen: "127.0.0.1:0", TLS: &tls.Config{MinVersion: tls.VersionTLS12}},
		"no certificate":  {Listen: "127.0.0.1:0", Domain: domain},
		"no such address": {Listen: "nowhere.invalid:0", Domain: domain, TLS: &tls.Config{MinVersion: tls.VersionTLS12}},
		"a limit below 0": {Listen: "127.0.0.1:0", Domain: domain, TLS: &tls.Config{MinVersion: tls.VersionTLS12}, PerPeer: -1},
	} {
		if s, err := New(c, &book{}, zap.NewNop()); err == nil {
			s.Close()
			t.Errorf("%s: taken", name)
		}
	}
}
