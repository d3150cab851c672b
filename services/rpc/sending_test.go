package rpc_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	backupv1 "github.com/signalbox-hq/signalbox/api/signalbox/backup/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestSendingIsStoppedAndResumedByOperatorsWithAReason(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	c := sendingv1.NewSendingServiceClient(r.operator(t))
	stopped := must(c.Stop(ctx, &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "the relay delivers to the wrong people"}))(t)
	if len(stopped.Stops) != 1 || stopped.Stops[0].Reason != "the relay delivers to the wrong people" || stopped.Stops[0].InForce.By != "operator:sam.okafor" {
		t.Errorf("stopped: %v", stopped.Stops)
	}
	must(c.Stop(ctx, &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_KIND, Target: "encompass.incident", Reason: "wrong template"}))(t)
	summary := must(ledgerv1.NewLedgerServiceClient(r.operator(t)).Summary(ctx, &ledgerv1.SummaryRequest{}))(t)
	overdue := must(ledgerv1.NewLedgerServiceClient(r.operator(t)).Overdue(ctx, &ledgerv1.OverdueRequest{}))(t)
	if len(summary.Stops) != 2 || len(overdue.Stops) != 2 {
		t.Errorf("summary shows %v, overdue %v", summary.Stops, overdue.Stops)
	}
	left := must(c.Resume(ctx, &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "mended"}))(t)
	if len(left.Stops) != 1 || left.Stops[0].InForce.Target != "encompass.incident" {
		t.Errorf("left: %v", left.Stops)
	}
	shown := must(c.Show(ctx, &sendingv1.ShowRequest{}))(t)
	if len(shown.Stops) != 1 || shown.Stops[0].Reason != "wrong template" {
		t.Errorf("shown: %v", shown.Stops)
	}
}

func TestAStopThatWouldStopNothingIsRefused(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	c := sendingv1.NewSendingServiceClient(r.operator(t))
	for name, req := range map[string]*sendingv1.StopRequest{
		"without a scope":              {Reason: "x"},
		"without a reason":             {Scope: ledgerv1.Scope_SCOPE_ALL},
		"of everything of something":   {Scope: ledgerv1.Scope_SCOPE_ALL, Target: "email", Reason: "x"},
		"of an unknown organisation":   {Scope: ledgerv1.Scope_SCOPE_ORGANISATION, Target: "gias:1", Reason: "x"},
		"of an unknown kind":           {Scope: ledgerv1.Scope_SCOPE_KIND, Target: "encompass", Reason: "x"},
		"of an unknown channel":        {Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: "pigeon", Reason: "x"},
		"of a reason that is too long": {Scope: ledgerv1.Scope_SCOPE_ALL, Reason: strings.Repeat("x", 2001)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.Stop(ctx, req); status.Code(err) != codes.InvalidArgument {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := c.Resume(ctx, &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "x"}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("resumed what is not stopped: %v", err)
	}
	if kept := r.vault.kept(); len(kept) > 0 {
		t.Errorf("reasons were kept that nothing refers to: %d", len(kept))
	}
}

func TestABackupIsStreamedToOperators(t *testing.T) {
	r := newRig(t)
	stream := must(backupv1.NewBackupServiceClient(r.operator(t)).Backup(testContext(t), &backupv1.BackupRequest{}))(t)
	var got bytes.Buffer
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		got.Write(part.Chunk)
	}
	if want := bytes.Repeat([]byte("a part of an archive "), 60_000); !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes of %d", got.Len(), len(want))
	}
	denied := must(backupv1.NewBackupServiceClient(r.agency(t, police)).Backup(testContext(t), &backupv1.BackupRequest{}))(t)
	if _, err := denied.Recv(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("an agency was handed a backup: %v", err)
	}
}
