package intake_test

import (
	"slices"
	"testing"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestWhatCannotHappenToAnUnbornChildIsRefusedByField(t *testing.T) {
	in := newIntake(t)
	var refused []notice.EventKind
	for _, kind := range notice.EventKinds() {
		ev := sample(t, kind)
		given := check(ev)
		ev.People = append(ev.People, &eventv1.Person{
			Ref: "mother", Role: eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER, Name: &eventv1.Name{Given: "Maren", Family: "Alder"},
		})
		expected := ev.Time.AsTime().AddDate(0, 3, 0).Format("2006-01-02")
		ev.Children = append(ev.Children, &eventv1.Child{
			Ref: "baby", LookedAfterBy: ev.Area, Unborn: &eventv1.Unborn{ExpectedOn: expected, MotherRef: "mother"},
		})
		header, data, err := intake.Encode(ev, intake.Protobuf)
		if err != nil {
			t.Fatal(err)
		}
		_, err = in.Read(header, data, given)
		if err != nil {
			refused = append(refused, kind)
		}
		for _, f := range notice.FieldsOf(err) {
			if field := "children[" + string(rune('0'+len(ev.Children)-1)) + "].unborn"; f.Field != field {
				t.Errorf("%s: %s: %s; want only %s at fault", kind, f.Field, f.Message, field)
			}
		}
	}
	want := slices.DeleteFunc(notice.EventKinds(), notice.EventKind.Unborn)
	if !slices.Equal(refused, want) {
		t.Errorf("refused of an unborn child: %v, want %v", refused, want)
	}
}
