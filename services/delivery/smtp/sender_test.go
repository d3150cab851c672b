package smtp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const recipient = "dsl@ashmere-primary.example"

var sample = delivery.Mail{
	Subject:   "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please acknowledge by 08:30 Fri 20 Nov (GMT)",
	Text:      "A notice waits for you.\n.\nA line with one dot is above.",
	HTML:      "<p>A notice waits for you.</p>",
	MessageID: "abcdefghjkmnpqrstvwx.0011223344556677@signalbox.example",
	Headers:   []delivery.Header{{Name: "X-Signalbox-Possible-Duplicate", Value: "true"}},
	Date:      time.Date(2026, 11, 19, 23, 5, 0, 0, time.UTC),
}

func TestAMailArrivesWholeAndEncrypted(t *testing.T) {
	r := startRelay(t, relayOptions{})
	got := r.sender(t).Send(t.Context(), sample, recipient)
	if want := (delivery.Result{Outcome: delivery.Delivered, Detail: "smtp 250"}); got != want {
		t.Fatalf("result %+v, want %+v", got, want)
	}
	letters := r.letters()
	if len(letters) != 1 {
		t.Fatalf("the relay has %d letters, want 1", len(letters))
	}
	l := letters[0]
	if !l.tls || l.from != "bounces@signalbox.example" || l.to != recipient {
		t.Errorf("tls %v, from %s, to %s", l.tls, l.from, l.to)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(l.text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"Subject": sample.Subject, "Message-Id": "<" + sample.MessageID + ">", "To": "<" + recipient + ">",
		"From": `"Signalbox" <notices@signalbox.example>`, "X-Signalbox-Possible-Duplicate": "true",
		"Date": "Thu, 19 Nov 2026 23:05:00 +0000",
	}
	for name, value := range want {
		if got := msg.Header.Get(name); got != value {
			t.Errorf("%s: %s, want %s", name, got, value)
		}
	}
	body, err := io.ReadAll(msg.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"multipart/alternative", "text/plain", "text/html", "A line with one dot is above.", "<p>A notice waits for you.</p>"} {
		if !strings.Contains(msg.Header.Get("Content-Type")+string(body), part) {
			t.Errorf("the mail lacks %q", part)
		}
	}
}

func TestAMailThatNamesWhereToReturnToIsSentFromThere(t *testing.T) {
	r := startRelay(t, relayOptions{})
	s := r.sender(t)
	m := sample
	m.ReturnTo = "returns+abc.1.def@returns.signalbox.example"
	if got := s.Send(t.Context(), m, recipient); got.Outcome != delivery.Delivered {
		t.Fatalf("result %+v", got)
	}
	l := r.letters()[0]
	msg, err := mail.ReadMessage(bytes.NewReader(l.text))
	if err != nil {
		t.Fatal(err)
	}
	if from := msg.Header.Get("From"); l.from != m.ReturnTo || from != `"Signalbox" <notices@signalbox.example>` {
		t.Errorf("sent from %s, shown as from %s", l.from, from)
	}
	for _, bad := range []string{"x", "a@b.test>\r\nRCPT TO:<thief@thief.test", "Ann <a@b.test>"} {
		m.ReturnTo = bad
		if got := s.Send(t.Context(), m, recipient); got != (delivery.Result{Outcome: delivery.Permanent, Detail: "return address malformed"}) {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestTheEndOfADialogueIsAnOutcome(t *testing.T) {
	reply := func(code int, enhanced gosmtp.EnhancedCode) func() error {
		return func() error {
			return &gosmtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "about " + recipient}
		}
	}
	for _, tc := range []struct {
		name    string
		options relayOptions
		prepare func(*relay)
		change  func(*Config)
		want    delivery.Result
	}{
		{
			name:    "an unknown mailbox is permanent",
			prepare: func(r *relay) { r.onRcpt = reply(550, gosmtp.EnhancedCode{5, 1, 1}) },
			want:    delivery.Result{Outcome: delivery.Permanent, Detail: "smtp 550 5.1.1", Refused: true, Status: "5.1.1"},
		},
		{
			name:    "greylisting is transient",
			prepare: func(r *relay) { r.onRcpt = reply(451, gosmtp.EnhancedCode{4, 7, 1}) },
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "smtp 451 4.7.1", ThisOnly: true},
		},
		{
			name:    "a full mailbox for good is permanent",
			prepare: func(r *relay) { r.onRcpt = reply(552, gosmtp.EnhancedCode{5, 2, 2}) },
			want:    delivery.Result{Outcome: delivery.Permanent, Detail: "smtp 552 5.2.2", Refused: true, Status: "5.2.2"},
		},
		{
			name:    "a refusal for good whose enhanced code says that it will pass is transient",
			prepare: func(r *relay) { r.onRcpt = reply(550, gosmtp.EnhancedCode{4, 2, 2}) },
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "smtp 550 4.2.2", ThisOnly: true},
		},
		{
			name:    "a relay that closes at the recipient does so for everybody",
			prepare: func(r *relay) { r.onRcpt = reply(421, gosmtp.EnhancedCode{4, 3, 2}) },
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "smtp 421 4.3.2"},
		},
		{
			name:    "a sender refused for good is ours to set right, not the recipient's end",
			prepare: func(r *relay) { r.onMail = reply(550, gosmtp.EnhancedCode{5, 7, 1}) },
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "smtp 550 5.7.1"},
		},
		{
			name:    "a sender refused for now is transient",
			prepare: func(r *relay) { r.onMail = reply(421, gosmtp.EnhancedCode{4, 3, 2}) },
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "smtp 421 4.3.2"},
		},
		{
			name: "a text refused after data is permanent",
			prepare: func(r *relay) {
				r.onData = func([]byte, *gosmtp.Conn) error { return reply(554, gosmtp.EnhancedCode{5, 7, 1})() }
			},
			want: delivery.Result{Outcome: delivery.Permanent, Detail: "smtp 554 5.7.1"},
		},
		{
			name: "a full mailbox after data is transient",
			prepare: func(r *relay) {
				r.onData = func([]byte, *gosmtp.Conn) error { return reply(452, gosmtp.EnhancedCode{4, 2, 2})() }
			},
			want: delivery.Result{Outcome: delivery.Transient, Detail: "smtp 452 4.2.2"},
		},
		{
			name: "a connection lost after data is unknown",
			prepare: func(r *relay) {
				r.onData = func(_ []byte, c *gosmtp.Conn) error { return c.Conn().Close() }
			},
			want: delivery.Result{Outcome: delivery.Unknown, Detail: "smtp no reply after data"},
		},
		{
			name: "a connection lost before data is transient",
			prepare: func(r *relay) {
				r.onRcpt = func() error { r.listener.cut(); return nil }
			},
			want: delivery.Result{Outcome: delivery.Transient, Detail: "smtp connection lost"},
		},
		{
			name:    "a relay without TLS gets nothing",
			options: relayOptions{withoutTLS: true},
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "no tls"},
		},
		{
			name:    "a relay with a certificate for another name gets nothing",
			options: relayOptions{otherName: true},
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "tls failed"},
		},
		{
			name:   "a relay whose authority is not ours gets nothing",
			change: func(c *Config) { c.RootCAs = startRelay(t, relayOptions{}).roots },
			want:   delivery.Result{Outcome: delivery.Transient, Detail: "tls failed"},
		},
		{
			name:    "a relay with TLS 1.1 only gets nothing",
			options: relayOptions{oldTLS: true},
			want:    delivery.Result{Outcome: delivery.Transient, Detail: "tls failed"},
		},
		{
			name:    "a wrong password is ours to set right, not the recipient's end",
			options: relayOptions{auth: true},
			change: func(c *Config) {
				c.Username, c.PasswordFile = "signalbox", passwordFile(t, "wrong\n")
			},
			want: delivery.Result{Outcome: delivery.Transient, Detail: "smtp authentication 535"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := startRelay(t, tc.options)
			if tc.prepare != nil {
				tc.prepare(r)
			}
			core, logs := observer.New(zap.DebugLevel)
			change := tc.change
			if change == nil {
				change = func(*Config) {}
			}
			s := r.sender(t, change)
			s.log = zap.New(core)
			got := s.Send(t.Context(), sample, recipient)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if n := len(r.letters()); n != 0 && tc.want.Outcome != delivery.Unknown {
				t.Errorf("the relay has %d letters, want none", n)
			}
			for _, entry := range logs.All() {
				if text := entry.Message + " " + strings.Join(fieldTexts(entry), " "); strings.Contains(text, "ashmere") {
					t.Errorf("the log names the recipient: %s", text)
				}
			}
		})
	}
}

func fieldTexts(e observer.LoggedEntry) []string {
	var texts []string
	for _, f := range e.Context {
		texts = append(texts, f.Key+"="+f.String)
	}
	return texts
}

func TestARelayThatHangsAfterDataIsUnknownWithinTheTimeout(t *testing.T) {
	r := startRelay(t, relayOptions{})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	r.onData = func([]byte, *gosmtp.Conn) error { <-release; return nil }
	s := r.sender(t, func(c *Config) { c.Timeout = 300 * time.Millisecond })
	got := s.Send(t.Context(), sample, recipient)
	if want := (delivery.Result{Outcome: delivery.Unknown, Detail: "smtp no reply after data"}); got != want {
		t.Errorf("result %+v, want %+v", got, want)
	}
}

func TestACallerWhoGivesUpAfterDataIsToldUnknown(t *testing.T) {
	r := startRelay(t, relayOptions{})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	r.onData = func([]byte, *gosmtp.Conn) error { cancel(); <-release; return nil }
	got := r.sender(t).Send(ctx, sample, recipient)
	if got.Outcome != delivery.Unknown {
		t.Errorf("outcome %v, want unknown", got.Outcome)
	}
}

func TestARelayThatIsDownIsTransient(t *testing.T) {
	r := startRelay(t, relayOptions{})
	s := r.sender(t)
	if err := r.listener.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.Send(t.Context(), sample, recipient)
	if want := (delivery.Result{Outcome: delivery.Transient, Detail: "smtp connect failed"}); got != want {
		t.Errorf("result %+v, want %+v", got, want)
	}
}

func TestManyMailsShareOneConnection(t *testing.T) {
	r := startRelay(t, relayOptions{auth: true})
	s := r.sender(t, func(c *Config) { c.Username, c.PasswordFile = "signalbox", passwordFile(t, "correct\n") })
	refuse := true
	r.onRcpt = func() error {
		if refuse = !refuse; refuse {
			return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no"}
		}
		return nil
	}
	for i := range 20 {
		got := s.Send(t.Context(), sample, recipient)
		if want := []delivery.Outcome{delivery.Delivered, delivery.Permanent}[i%2]; got.Outcome != want {
			t.Fatalf("mail %d: %+v, want %v", i, got, want)
		}
	}
	if n := r.listener.count(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if diff := cmp.Diff([]string{"signalbox"}, r.users); diff != "" {
		t.Errorf("authenticated (-want +got):\n%s", diff)
	}
}

func TestAConnectionThatTheRelayClosedIsReplacedWithoutAFailure(t *testing.T) {
	for _, tc := range []struct {
		name  string
		probe time.Duration
	}{
		{name: "noticed by a probe", probe: 0},
		{name: "noticed when the mail begins", probe: time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := startRelay(t, relayOptions{})
			s := r.sender(t)
			s.set.probeAfter = tc.probe
			for i := range 2 {
				if got := s.Send(t.Context(), sample, recipient); got.Outcome != delivery.Delivered {
					t.Fatalf("mail %d: %+v", i, got)
				}
				r.listener.cut()
			}
			if got := []int{r.listener.count(), len(r.letters())}; !slices.Equal(got, []int{2, 2}) {
				t.Errorf("connections and letters %v, want [2 2]", got)
			}
		})
	}
}

func TestNoMoreConnectionsThanAllowedAreOpen(t *testing.T) {
	r := startRelay(t, relayOptions{})
	s := r.sender(t, func(c *Config) { c.Connections = 2 })
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if got := s.Send(t.Context(), sample, recipient); got.Outcome != delivery.Delivered {
				t.Errorf("result %+v", got)
			}
		})
	}
	wg.Wait()
	if n := r.listener.count(); n > 2 {
		t.Errorf("%d connections, want 2 at most", n)
	}
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	r := startRelay(t, relayOptions{})
	s := r.sender(t, func(c *Config) { c.Idle = time.Millisecond })
	closed := make(chan struct{})
	if got := s.Send(t.Context(), sample, recipient); got.Outcome != delivery.Delivered {
		t.Fatalf("result %+v", got)
	}
	go func() {
		defer close(closed)
		for {
			s.pool.mu.Lock()
			n := len(s.pool.idle)
			s.pool.mu.Unlock()
			if n == 0 || t.Context().Err() != nil {
				return
			}
		}
	}()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the connection is still kept")
	}
}

func TestAValueCannotBeginAHeaderOfItsOwn(t *testing.T) {
	r := startRelay(t, relayOptions{})
	s := r.sender(t)
	for _, tc := range []struct {
		name string
		to   string
		mail delivery.Mail
		want string
	}{
		{name: "in the subject", mail: delivery.Mail{Subject: "x\r\nBcc: thief@thief.test"}, want: "header malformed"},
		{name: "in the subject by a bare line feed", mail: delivery.Mail{Subject: "x\nBcc: thief@thief.test"}, want: "header malformed"},
		{name: "in a header", mail: delivery.Mail{Subject: "x", Headers: []delivery.Header{{Name: "X-A", Value: "b\r\nBcc: thief@thief.test"}}}, want: "header malformed"},
		{name: "in a header's name", mail: delivery.Mail{Subject: "x", Headers: []delivery.Header{{Name: "X-A:\nBcc", Value: "thief@thief.test"}}}, want: "header malformed"},
		{name: "in the message id", mail: delivery.Mail{Subject: "x", MessageID: "a>\r\nBcc: <thief@thief.test"}, want: "header malformed"},
		{name: "in the address", to: "a@b.test>\r\nRCPT TO:<thief@thief.test", want: "address malformed"},
		{name: "by a second address", to: "a@b.test, thief@thief.test", want: "address malformed"},
		{name: "by a name before the address", to: "Ann <a@b.test>", want: "address malformed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, to := tc.mail, tc.to
			if m.MessageID == "" {
				m.MessageID = sample.MessageID
			}
			if m.Subject == "" {
				m.Subject = sample.Subject
			}
			if to == "" {
				to = recipient
			}
			got := s.Send(t.Context(), m, to)
			if want := (delivery.Result{Outcome: delivery.Permanent, Detail: tc.want}); got != want {
				t.Errorf("result %+v, want %+v", got, want)
			}
		})
	}
	if n := r.listener.count(); n != 0 {
		t.Errorf("%d connections, want none", n)
	}
}

func TestABadConfigurationNamesEveryFault(t *testing.T) {
	_, err := New(Config{Host: "a b", Port: -1, From: "nobody", Username: "u", PasswordFile: "/nonexistent", Connections: -1}, zap.NewNop())
	var e *notice.Error
	if !errors.As(err, &e) || e.Kind != notice.Invalid {
		t.Fatalf("error %v, want an invalid fault", err)
	}
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, f.Field)
	}
	if diff := cmp.Diff([]string{"host", "port", "from", "password_file", "connections"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}
