package apptest

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Ashmere and KestrelVale are areas of the demo's borough and its neighbour.
const (
	Ashmere     = "E09000901"
	KestrelVale = "E10000902"
)

// London is a clock time in London: "2026-06-18 19:42".
func London(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, directory.London())
	if err != nil {
		panic(err) // only a test's own text
	}
	return t
}

// Child is a child of the borough as a publisher would name one.
func Child(ref, given, family, born string) *eventv1.Child {
	return &eventv1.Child{
		Ref: ref, Name: &eventv1.Name{Given: given, Family: family}, DateOfBirth: born,
		Presence: eventv1.Presence_PRESENCE_PRESENT, ResidenceArea: Ashmere,
	}
}

// Incident is an Operation Encompass incident, reported at an instant.
func Incident(a *Agency, id, reference string, at time.Time, children ...*eventv1.Child) *eventv1.Event {
	return &eventv1.Event{
		Id: id, Source: string(a.ID), Type: string(notice.EncompassIncident), Subject: reference, Area: Ashmere,
		Time: timestamppb.New(at), Children: children,
		Narrative: &eventv1.Narrative{Disclosable: "Officers attended a disturbance at the home."},
		Checks:    &eventv1.Checks{Welfare: eventv1.Check_CHECK_DONE},
		Payload: &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{
			OccurredAt: timestamppb.New(at.Add(-40 * time.Minute)),
		}},
	}
}
