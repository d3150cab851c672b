package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestFaultsComeBackFromTheQuarantine(t *testing.T) {
	r := newRig(t, "kestrel-vale-police")
	ctx := testContext(t)
	want := []notice.FieldFault{
		{Field: "children[1].date_of_birth", Message: "is in the future: correct the year"},
		{Field: "", Message: "cannot be read – send one event in each message"},
		{Field: "type", Message: "is missing: give the kind of event"},
	}
	events := r.store.Events()
	bad := Msg{Seq: 7, Subject: EventSubject("kestrel-vale-police", "encompass"), Data: []byte("bad"),
		Header: Header{headerFaultField: {"the publisher's own"}}}
	number := got(events.Quarantine(ctx, "kestrel-vale-police", bad, FaultHeader(want))).or(t)
	kept := got(events.GetQuarantined(ctx, number)).or(t)
	if diff := cmp.Diff(want, FaultsOf(kept.Event.Header)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestAFaultStaysOnItsLine(t *testing.T) {
	h := FaultHeader([]notice.FieldFault{{Field: "a\r\nNats-Rollup: all", Message: " is\tbad "}})
	want := []notice.FieldFault{{Field: "a  Nats-Rollup: all", Message: "is bad"}}
	if diff := cmp.Diff(want, FaultsOf(h)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if got := FaultsOf(Header{headerFaultField: {"a", "b"}, headerFaultMessage: {"x"}}); len(got) != 1 {
		t.Errorf("a field without its message: got %v", got)
	}
}
