package bench

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	// recipients of each event.
	recipients = 5
	agency     = "ashmere-social-care"
	council    = "ashmere-council"
	area       = "E09000901"

	subjectPrefix = "SM-"
)

// organisation is a recipient's id: each channel has its own.
func organisation(channel string, i int) string { return fmt.Sprintf("%s-recipient-%d", channel, i+1) }

// subject is the reference of the n-th event, which its recipients see.
func subject(n int) string { return subjectPrefix + strconv.Itoa(n) }

// meeting is the n-th event: the record of a strategy meeting about one child, with five organisations that took part.
func meeting(n int, channel string, risk eventv1.RiskGrade, at time.Time) *eventv1.Event {
	held := timestamppb.New(at.Add(-time.Hour))
	concluded := &eventv1.StrategyMeetingConcluded{
		HeldAt: held, Decision: eventv1.MeetingDecision_MEETING_DECISION_NO_FURTHER_ACTION,
		Record: "The meeting heard from each agency. The home was calm at the last visit and the child spoke freely. " +
			"It was agreed that an enquiry is made, that the school keeps watch, and that all meet again in ten days.",
		Actions: []*eventv1.Action{
			{Owner: &eventv1.OrganisationRef{Id: organisation(channel, 0)}, Text: "Visit the home and speak with the child alone."},
			{Owner: &eventv1.OrganisationRef{Id: organisation(channel, 1)}, Text: "Tell the meeting what the records hold."},
		},
	}
	for i := range recipients {
		concluded.Participants = append(concluded.Participants, &eventv1.Participant{
			Organisation: &eventv1.OrganisationRef{Id: organisation(channel, i)}, Function: "health",
			Attendance: eventv1.Attendance_ATTENDANCE_ATTENDED,
		})
	}
	return &eventv1.Event{
		Id: "event-" + strconv.Itoa(n), Source: agency, Type: string(notice.StrategyMeetingConcluded), Subject: subject(n),
		Time: timestamppb.New(at), Area: area, Risk: risk,
		Children: []*eventv1.Child{{
			Ref: "c1", Name: &eventv1.Name{Given: "Linden", Family: "Quill"}, DateOfBirth: "2016-05-02", ResidenceArea: area,
		}},
		People: []*eventv1.Person{{
			Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER, Name: &eventv1.Name{Given: "Ingrid", Family: "Quill"},
		}},
		Narrative: &eventv1.Narrative{Disclosable: "Two agencies were worried within one week, and the meeting was called for that."},
		Payload:   &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: concluded},
	}
}

// directoryFiles are the directory as files to import: format and text.
func directoryFiles(push []string, today time.Time) [][2]string {
	var organisations, contacts strings.Builder
	organisations.WriteString("id,name,kind,area,status,postcode\n" + council + ",Ashmere Council,local_authority," + area + ",,\n")
	contacts.WriteString("id,organisation,role,name,channel,address,verified_on\n")
	for _, channel := range []string{delivery.GRPC, delivery.Email} {
		for i := range recipients {
			id, address := organisation(channel, i), push[i]
			if channel == delivery.Email {
				address = "duty@" + id + ".example"
			}
			fmt.Fprintf(&organisations, "%s,%s,health,%s,,\n", id, id, area)
			fmt.Fprintf(&contacts, "%s-duty,%s,duty,Duty desk,%s,%s,%s\n", id, id, channel, address, today.Format(time.DateOnly))
		}
	}
	return [][2]string{
		{"areas", "gss,name,kind,police_area,la_code,nation\nE23000901,Northbridge Police area,police,,,\n" +
			area + ",Ashmere,local_authority,E23000901,901,england\n"},
		{"organisations", organisations.String()},
		{"contacts", contacts.String()},
	}
}
