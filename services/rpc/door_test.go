package rpc_test

import (
	"context"
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// call calls a method with an empty request and gives the code of its end.
func call(t *testing.T, conn *grpc.ClientConn, method string) codes.Code {
	t.Helper()
	ctx, cancel := context.WithTimeout(testContext(t), 5*time.Second)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err == nil {
		if err = stream.SendMsg(&emptypb.Empty{}); err == nil {
			_ = stream.CloseSend() // the answer says what became of it
		}
		err = stream.RecvMsg(&emptypb.Empty{})
	}
	return status.Code(err)
}

func TestWhoMayCallWhat(t *testing.T) {
	r := newRig(t)
	agency, operator := r.agency(t, police), r.operator(t)
	// A good certificate, and no row in the directory.
	stranger := must(grpc.NewClient(r.server.Addr(),
		grpc.WithTransportCredentials(credentials.NewTLS(r.clientTLS(t, r.ca, identity.Agency, "elsewhere-police")))))(t)
	t.Cleanup(func() { _ = stranger.Close() })

	for _, tc := range []struct {
		method                 string
		forAgency, forOperator bool
	}{
		{"/signalbox.intake.v1.IntakeService/Publish", true, false},
		{"/signalbox.intake.v1.IntakeService/PublishStream", true, false},
		{"/signalbox.intake.v1.IntakeService/Feedback", true, false},
		{"/signalbox.intake.v1.IntakeService/Quarantine", true, true},
		{"/signalbox.inbox.v1.InboxService/Acknowledge", true, true},
		{"/signalbox.task.v1.TaskService/List", true, true},
		{"/signalbox.task.v1.TaskService/Claim", true, true},
		{"/signalbox.task.v1.TaskService/Resolve", true, true},
		{"/signalbox.ledger.v1.LedgerService/Timeline", false, true},
		{"/signalbox.ledger.v1.LedgerService/Overdue", false, true},
		{"/signalbox.ledger.v1.LedgerService/Summary", false, true},
		{"/signalbox.ledger.v1.LedgerService/Verify", false, true},
		{"/signalbox.routing.v1.RoutingService/Explain", false, true},
		{"/signalbox.directory.v1.DirectoryService/Import", false, true},
		{"/signalbox.directory.v1.DirectoryService/Show", false, true},
		{"/signalbox.directory.v1.DirectoryService/Coverage", false, true},
		{"/signalbox.directory.v1.DirectoryService/AddAgency", false, true},
		{"/signalbox.directory.v1.DirectoryService/ListAgencies", false, true},
	} {
		for who, may := range map[*grpc.ClientConn]bool{agency: tc.forAgency, operator: tc.forOperator, stranger: false} {
			name := map[*grpc.ClientConn]string{agency: "an agency", operator: "an operator", stranger: "an agency without access"}[who]
			code := call(t, who, tc.method)
			if may == (code == codes.PermissionDenied) || code == codes.Internal || code == codes.Unimplemented || code == codes.DeadlineExceeded {
				t.Errorf("%s as %s: %s, and may be called: %v", tc.method, name, code, may)
			}
		}
	}
	if code := call(t, operator, "/signalbox.ledger.v1.LedgerService/Rewrite"); code != codes.Unimplemented {
		t.Errorf("a method that is not there: %s", code)
	}
}

func TestAnAgencyThatIsRemovedIsTurnedAwayOnItsOpenConnection(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	tasks := taskv1.NewTaskServiceClient(r.agency(t, council))
	if _, err := tasks.List(ctx, &taskv1.ListRequest{}); err != nil {
		t.Fatal(err)
	}
	r.remove(ctx, t, directory.KindAgency, string(council))
	if _, err := tasks.List(ctx, &taskv1.ListRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("List: %v, want a denial", err)
	}
}

func TestNoCertificateOfTheAuthorityIsNoWayIn(t *testing.T) {
	r := newRig(t)
	foreign := must(identity.CreateCA(filepath.Join(t.TempDir(), "ca"), time.Now(), 2*time.Hour))(t)
	server := must(r.ca.IssueServer(identity.ServerRequest{DNSNames: []string{"other.example"}, Now: time.Now(), Validity: time.Hour}))(t)
	serverAsClient := must(identity.ClientTLS(server, r.ca.Pool()))(t)
	distrusting := r.clientTLS(t, r.ca, identity.Operator, "sam.okafor")
	distrusting.RootCAs = foreign.Pool()

	_, err := rpc.Dial(testContext(t), r.server.Addr(), r.clientTLS(t, r.ca, identity.Agency, "elsewhere-police"))
	if notice.KindOf(err) != notice.Denied || err == nil {
		t.Errorf("an agency without access: %v, want a denial", err)
	}
	for _, tc := range []struct {
		name   string
		config *tls.Config
	}{
		{"without a certificate", &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tls.VersionTLS12}},
		{"with an operator's certificate of another authority", r.clientTLS(t, foreign, identity.Operator, "sam.okafor")},
		{"with an agency's certificate of another authority", r.clientTLS(t, foreign, identity.Agency, string(police))},
		{"with a server's certificate", serverAsClient},
		{"where the client does not trust the server", distrusting},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := rpc.Dial(testContext(t), r.server.Addr(), tc.config)
			if err == nil {
				_ = conn.Close()
				t.Fatal("Dial succeeds")
			}
			if kind := notice.KindOf(err); kind != notice.Unavailable && kind != notice.Denied {
				t.Errorf("Dial: %v (%s)", err, kind)
			}
		})
	}
	t.Run("without TLS", func(t *testing.T) {
		conn := must(grpc.NewClient(r.server.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials())))(t)
		defer func() { _ = conn.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{}); err == nil {
			t.Error("a call in plain text succeeds")
		}
	})
}

func TestTheServerIsOnlyMadeWhole(t *testing.T) {
	r := newRig(t)
	for _, tc := range []struct {
		name   string
		change func(*rpc.Deps, *rpc.Config)
		want   notice.Kind
	}{
		{"a part is missing", func(d *rpc.Deps, _ *rpc.Config) { d.Vault = nil }, notice.Internal},
		{"no address", func(_ *rpc.Deps, c *rpc.Config) { c.Listen = "" }, notice.Invalid},
		{"no TLS", func(_ *rpc.Deps, c *rpc.Config) { c.TLS = nil }, notice.Invalid},
		{"client certificates are optional", func(_ *rpc.Deps, c *rpc.Config) {
			c.TLS = c.TLS.Clone()
			c.TLS.ClientAuth = tls.VerifyClientCertIfGiven
		}, notice.Invalid},
		{"client certificates of any authority", func(_ *rpc.Deps, c *rpc.Config) {
			c.TLS = c.TLS.Clone()
			c.TLS.ClientCAs = nil
		}, notice.Invalid},
		{"the address is taken", func(_ *rpc.Deps, c *rpc.Config) { c.Listen = r.server.Addr() }, notice.Unavailable},
	} {
		d, c := r.deps, r.config
		tc.change(&d, &c)
		if _, err := rpc.New(d, c); err == nil || notice.KindOf(err) != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestRequestsAreHeldAgainstTheContract(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	conn := r.operator(t)
	tasks, inbox, ledgers := taskv1.NewTaskServiceClient(conn), inboxv1.NewInboxServiceClient(conn), ledgerv1.NewLedgerServiceClient(conn)
	for _, tc := range []struct {
		name string
		call func() error
		want []string // fields
	}{
		{"an acknowledgement without notice and person", func() error {
			_, err := inbox.Acknowledge(ctx, &inboxv1.AcknowledgeRequest{})
			return err
		}, []string{"notice", "person"}},
		{"a resolution without a reason", func() error {
			_, err := tasks.Resolve(ctx, &taskv1.ResolveRequest{Task: "t", Resolution: "no_action"})
			return err
		}, []string{"reason"}},
		{"a match without a child", func() error {
			_, err := tasks.Resolve(ctx, &taskv1.ResolveRequest{Task: "t", Resolution: "matched", Reason: "seen"})
			return err
		}, []string{"child"}},
		{"a timeline of nothing", func() error {
			_, err := ledgers.Timeline(ctx, &ledgerv1.TimelineRequest{})
			return err
		}, []string{"of"}},
	} {
		err := rpc.Fault(tc.call())
		var fields []string
		for _, f := range notice.FieldsOf(err) {
			fields = append(fields, f.Field)
			if f.Message == "" || strings.Contains(f.Message, "at least 1 character") {
				t.Errorf("%s: %s does not say what to do: %q", tc.name, f.Field, f.Message)
			}
		}
		if diff := cmp.Diff(tc.want, fields); diff != "" || notice.KindOf(err) != notice.Invalid {
			t.Errorf("%s: %v; fields (-want +got):\n%s", tc.name, err, diff)
		}
	}
}

// broken is an engine with a fault of its own.
type broken struct{ rpc.Engine }

func (broken) View(context.Context, func(*ledger.State)) error {
	panic("Ivo Quillfeather")
}

func TestAFaultOfOurOwnIsHiddenAndLoggedOnceWithItsReference(t *testing.T) {
	r := newRig(t, func(r *rig) { r.deps.Engine = broken{r.deps.Engine} })
	_, err := ledgerv1.NewLedgerServiceClient(r.operator(t)).Overdue(testContext(t), &ledgerv1.OverdueRequest{})
	st := status.Convert(err)
	reference, ok := strings.CutPrefix(st.Message(), "internal error, reference ")
	if st.Code() != codes.Internal || !ok || reference == "" {
		t.Fatalf("got %v", err)
	}
	if notice.KindOf(rpc.Fault(err)) != notice.Internal {
		t.Errorf("Fault: %v", rpc.Fault(err))
	}
	r.stop()
	logged := 0
	for _, entry := range r.logs.All() {
		if entry.ContextMap()["reference"] == reference {
			logged++
		}
	}
	if logged != 1 {
		t.Errorf("logged %d times: %v", logged, r.logs.All())
	}
	r.saysNothingOf(t, "Quillfeather")
}

func TestTheLogNamesTheCallAndTheCallerAndNoMore(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	in := intakev1.NewIntakeServiceClient(r.agency(t, police))
	if _, err := in.Publish(ctx, &intakev1.PublishRequest{Event: incident("i-1")}); err != nil {
		t.Fatal(err)
	}
	bad := incident("i-2")
	bad.Children[0].DateOfBirth = "Quillfeather"
	if _, err := in.Publish(ctx, &intakev1.PublishRequest{Event: bad}); status.Code(err) != codes.InvalidArgument {
		t.Fatalf("a bad event: %v", err)
	}
	r.stop()

	var calls []string
	for _, entry := range r.logs.FilterMessage("call").All() {
		fields := entry.ContextMap()
		if len(fields) != 4 || fields["duration"] == nil {
			t.Errorf("fields %v", fields)
		}
		calls = append(calls, strings.Join([]string{fields["method"].(string), fields["peer"].(string), fields["code"].(string)}, " "))
	}
	want := []string{
		"/grpc.health.v1.Health/Check agency:kestrel-vale-police OK",
		"/signalbox.intake.v1.IntakeService/Publish agency:kestrel-vale-police OK",
		"/signalbox.intake.v1.IntakeService/Publish agency:kestrel-vale-police InvalidArgument",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	r.saysNothingOf(t, "Quillfeather", "i-1", "KV/", "2015")
}

// saysNothingOf makes sure that the log holds none of some texts.
func (r *rig) saysNothingOf(t *testing.T, texts ...string) {
	t.Helper()
	for _, entry := range r.logs.All() {
		for name, value := range entry.ContextMap() {
			for _, text := range texts {
				if s, ok := value.(string); ok && strings.Contains(s, text) || strings.Contains(entry.Message, text) {
					t.Errorf("the log says %q in %s", text, name)
				}
			}
		}
	}
}

func TestStoppingEndsAtOnceWhereNothingIsUnderWay(t *testing.T) {
	r := newRig(t)
	conn := r.operator(t)
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	_, err := ledgerv1.NewLedgerServiceClient(conn).Overdue(testContext(t), &ledgerv1.OverdueRequest{})
	if notice.KindOf(rpc.Fault(err)) != notice.Unavailable {
		t.Errorf("a call afterwards: %v", err)
	}
}
