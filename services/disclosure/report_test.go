package disclosure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// For any event, view and child: those whom a report takes for the same are shown the same, and it is what the texts
// without their findings allow.
func TestAReportShowsEachRecipientWhatIsItsOwn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		labels := rapid.SliceOfDistinct(rapid.SampledFrom(disclosure.LabelNames()), rapid.ID).Draw(rt, "labels")
		v, err := disclosure.NewView("any", labels, rapid.Bool().Draw(rt, "own actions only"))
		if err != nil {
			rt.Fatal(err)
		}
		ev := fill(rt, rapid.SampledFrom(notice.EventKinds()).Draw(rt, "kind")).event
		owner := rapid.SampledFrom([]string{string(recipient), "somebody-else", ""})
		for _, a := range actionsWithin(rt, ev) {
			a.Owner.Id = owner.Draw(rt, "owner")
		}
		ev.Narrative.Disclosable = rapid.SampledFrom([]string{"", "fine", "ring 07700 900123"}).Draw(rt, "text")
		ref := rapid.SampledFrom([]string{"c1", "c2", "*"}).Draw(rt, "child")
		before := proto.CloneOf(ev)

		r := disclosure.NewReport(ev, ref)
		got := r.Show(r.As(recipient, v), v)

		findings := disclosure.Withhold(ev, ref)
		_, all := disclosure.Apply(ev, ref, recipient, v)
		event, fields := disclosure.Apply(disclosure.WithoutText(ev, findings), ref, recipient, v)
		want := disclosure.Shown{Event: event, Fields: fields, Withheld: len(fields) < len(all)}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			rt.Errorf("shown (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(findings, r.Findings()); diff != "" {
			rt.Errorf("findings (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, ev, protocmp.Transform()); diff != "" {
			rt.Errorf("the event was changed:\n%s", diff)
		}
	})
}

// actionsWithin finds every action of an event, wherever the contract puts one.
func actionsWithin(t interface{ Fatal(...any) }, ev *eventv1.Event) []*eventv1.Action {
	var found []*eventv1.Action
	if err := protorange.Range(ev.ProtoReflect(), func(at protopath.Values) error {
		if m, ok := at.Index(-1).Value.Interface().(interface{ Interface() proto.Message }); ok {
			if a, ok := m.Interface().(*eventv1.Action); ok {
				found = append(found, a)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}
