package engine

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestWhatIsRememberedIsWhatEachRecipientWouldBeShown(t *testing.T) {
	view := func(id string, ownActionsOnly bool, labels ...string) disclosure.View {
		v, err := disclosure.NewView(id, labels, ownActionsOnly)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	views := []disclosure.View{
		{}, view("names", false, "child_identity"), view("all", false, disclosure.LabelNames()...),
		view("own", true, disclosure.LabelNames()...),
	}
	var events []*eventv1.Event
	for i := range 3 {
		events = append(events, &eventv1.Event{
			Children: []*eventv1.Child{
				{Ref: "a", Name: &eventv1.Name{Given: fmt.Sprintf("Tamsin%d", i), Family: "Alder"}},
				{Ref: "b", Name: &eventv1.Name{Given: "Joss", Family: "Alder"}},
			},
			Payload: &eventv1.Event_ConferenceConcluded{ConferenceConcluded: &eventv1.ConferenceConcluded{
				Record: "Joss is well.",
				Actions: []*eventv1.Action{
					{Owner: &eventv1.OrganisationRef{Id: "ashmere-council"}, Text: "visit"},
					{Owner: &eventv1.OrganisationRef{Id: "ashmere-police"}, Text: "interview"},
				},
			}},
		})
	}
	s := newShowings(5 * sizeOf(events[0])) // fewer than are asked for, so that some are dropped and made again
	for round := range 2 {
		for _, ev := range events {
			for _, ref := range []string{"a", "b", "*"} {
				for _, recipient := range []notice.OrgID{"ashmere-council", "ashmere-police"} {
					for _, v := range views {
						want := disclosure.NewReport(ev, ref).Show(recipient, v)
						if diff := cmp.Diff(want, s.show(ev, ref, recipient, v), protocmp.Transform()); diff != "" {
							t.Fatalf("round %d, %s of %s to %s (-want +got):\n%s", round, ref, v.ID(), recipient, diff)
						}
					}
				}
			}
		}
	}
	if n := len(s.last.held); n != 2 {
		t.Errorf("%d reports are remembered, want 2", n)
	}
}
