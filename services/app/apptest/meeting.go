package apptest

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// functionOf is in what part an organisation of the borough is invited to meetings.
func functionOf(organisation string) string {
	switch organisation {
	case "ashmere-council":
		return "local_authority"
	case "northbridge-police":
		return "police"
	case "ashmere-health":
		return "health"
	default:
		return "school"
	}
}

// Meeting calls a strategy meeting about a child that starts so long after the call. Organisations are invited in the
// function that they have in the borough.
func Meeting(a *Agency, id, reference string, at time.Time, in time.Duration, child *eventv1.Child, invited ...string) *eventv1.Event {
	m := &eventv1.StrategyMeetingConvened{MeetsAt: timestamppb.New(at.Add(in)), Joining: "Room 2, Weir House."}
	for _, organisation := range invited {
		m.Invited = append(m.Invited, &eventv1.Participant{Organisation: &eventv1.OrganisationRef{Id: organisation}, Function: functionOf(organisation)})
	}
	return &eventv1.Event{
		Id: id, Source: string(a.ID), Type: string(notice.StrategyMeetingConvened), Subject: reference, Area: Ashmere,
		Time: timestamppb.New(at), Children: []*eventv1.Child{child},
		Payload: &eventv1.Event_StrategyMeetingConvened{StrategyMeetingConvened: m},
	}
}

// Meetings is the service for invitations, as an agency calls it.
func (a *Agency) Meetings() meetingv1.MeetingServiceClient {
	return meetingv1.NewMeetingServiceClient(a.GRPC)
}

// Meeting is where a meeting of the agency's own stands: "<organisation>: <state>" for each that is invited.
func (a *Agency) Meeting(reference string) (lines []string, whole *meetingv1.ShowResponse) {
	a.rig.T.Helper()
	whole, err := a.Meetings().Show(a.rig.Context(), &meetingv1.ShowRequest{Reference: reference})
	a.rig.must(err)
	for _, i := range whole.Invited {
		line := i.Organisation + ": " + i.State
		if i.Reason != "" {
			line += ", " + i.Reason
		}
		if i.Comes != "" {
			line += ", " + i.Comes
		}
		lines = append(lines, line)
	}
	return lines, whole
}
