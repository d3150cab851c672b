package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestFaultsComeBackAsTheyWent(t *testing.T) {
	fields := []notice.FieldFault{{Field: "children[1].date_of_birth", Message: "is in the future: correct it"}, {Field: "type", Message: "is missing"}}
	for _, tc := range []struct {
		name string
		err  error
		code codes.Code
		kind notice.Kind
		text string
	}{
		{"invalid", notice.Faultf(notice.Invalid, "op", "give one"), codes.InvalidArgument, notice.Invalid, "give one"},
		{"not found", notice.Faultf(notice.NotFound, "op", "none"), codes.NotFound, notice.NotFound, "none"},
		{"conflict", notice.Faultf(notice.Conflict, "op", "moved on"), codes.Aborted, notice.Conflict, "moved on"},
		{"denied", notice.Faultf(notice.Denied, "op", "no"), codes.PermissionDenied, notice.Denied, "no"},
		{"unavailable", notice.Faultf(notice.Unavailable, "op", "later"), codes.Unavailable, notice.Unavailable, "later"},
		{"precondition", notice.Faultf(notice.Precondition, "op", "not yet"), codes.FailedPrecondition, notice.Precondition, "not yet"},
		{"a kind without a text", notice.Fault(notice.Denied, "op", nil), codes.PermissionDenied, notice.Denied, "denied"},
		{"wrapped by another room", notice.Fault(notice.Conflict, "outer", notice.Faultf(notice.Conflict, "inner", "moved on")),
			codes.Aborted, notice.Conflict, "moved on"},
		{"wrapped with words", fmt.Errorf("import: %w", notice.Faultf(notice.Denied, "op", "no")), codes.PermissionDenied, notice.Denied, "no"},
		{"the outermost kind counts, with its words", notice.Fault(notice.Unavailable, "op", fmt.Errorf("the ledger: %w", notice.Faultf(notice.Internal, "in", "x"))),
			codes.Unavailable, notice.Unavailable, "the ledger: in: x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st, reference := toStatus(t.Context(), tc.err)
			if st.Code() != tc.code || st.Message() != tc.text || reference != "" {
				t.Errorf("status %s %q, reference %q", st.Code(), st.Message(), reference)
			}
			if back := Fault(st.Err()); notice.KindOf(back) != tc.kind {
				t.Errorf("back: %v", back)
			}
		})
	}
	t.Run("with fields", func(t *testing.T) {
		st, _ := toStatus(t.Context(), fmt.Errorf("seen: %w", notice.InvalidFields("op", fields)))
		back := Fault(st.Err())
		if st.Code() != codes.InvalidArgument || notice.KindOf(back) != notice.Invalid {
			t.Errorf("status %v, back %v", st, back)
		}
		if diff := cmp.Diff(fields, notice.FieldsOf(back)); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
	})
}

func TestAFaultOfOurOwnSaysNothing(t *testing.T) {
	for _, err := range []error{
		errors.New("secret"), notice.Faultf(notice.Internal, "op", "secret"),
		notice.Fault(notice.Internal, "op", notice.InvalidFields("op", []notice.FieldFault{{Field: "secret", Message: "secret"}})),
	} {
		st, reference := toStatus(t.Context(), err)
		if st.Code() != codes.Internal || st.Message() != "internal error, reference "+reference || reference == "" || len(st.Details()) > 0 {
			t.Errorf("%v: status %v, reference %q", err, st, reference)
		}
	}
	_, one := toStatus(t.Context(), errors.New("x"))
	if _, two := toStatus(t.Context(), errors.New("x")); one == two {
		t.Error("two faults have one reference")
	}
}

func TestACallerWhoHasGoneIsNoFault(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{context.Canceled, notice.Fault(notice.Unavailable, "op", context.Canceled)} {
		if st, reference := toStatus(gone, err); st.Code() != codes.Canceled || reference != "" {
			t.Errorf("%v: %v, reference %q", err, st, reference)
		}
	}
	if st, reference := toStatus(gone, errors.New("x")); st.Code() != codes.Internal || reference == "" {
		t.Errorf("a fault of our own meanwhile: %v, reference %q", st, reference)
	}
}

func TestWhatTheTransportSaysHasAKind(t *testing.T) {
	for code, want := range map[codes.Code]notice.Kind{
		codes.ResourceExhausted: notice.Invalid, codes.Unauthenticated: notice.Denied, codes.DeadlineExceeded: notice.Unavailable,
		codes.Canceled: notice.Unavailable, codes.AlreadyExists: notice.Conflict, codes.Unknown: notice.Internal, codes.Unimplemented: notice.Internal,
	} {
		if got := notice.KindOf(Fault(status.Error(code, "x"))); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	if Fault(nil) != nil || !errors.Is(Fault(io.EOF), io.EOF) {
		t.Error("nil and the end of a stream do not stay as they are")
	}
	if err := errors.New("local"); !errors.Is(Fault(err), err) {
		t.Error("an error that is no status does not stay as it is")
	}
}
