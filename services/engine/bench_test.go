package engine_test

import (
	"fmt"
	"strconv"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// BenchmarkEngine takes events in, each told to five organisations that need not acknowledge, through a log in memory and
// a sender that answers at once.
func BenchmarkEngine(b *testing.B) {
	const recipients = 5
	var rows []*directoryv1.Row
	for i := range recipients {
		id := fmt.Sprintf("agency-%d", i)
		rows = append(rows, directory.OrganisationRow(&directoryv1.Organisation{Id: id, Name: id, Kind: "health", Area: area}),
			contact(id+"-duty", id, "duty", "regular"))
	}
	r := newRig(b, rows...)
	r.limits.Slots = 64
	e := r.run()
	events := make([]*eventv1.Event, b.N)
	for i := range events {
		events[i] = r.incident(strconv.Itoa(i), "C/"+strconv.Itoa(i), func(ev *eventv1.Event) {
			ev.Type = string(notice.ConferenceConcluded)
			conference := &eventv1.ConferenceConcluded{HeldAt: timestamppb.New(r.clock.Now()), Record: "The child is made the subject of a plan."}
			for i := range recipients {
				conference.Participants = append(conference.Participants, &eventv1.Participant{
					Organisation: &eventv1.OrganisationRef{Id: fmt.Sprintf("agency-%d", i)}, Function: "health",
				})
			}
			ev.Payload = &eventv1.Event_ConferenceConcluded{ConferenceConcluded: conference}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	r.events.publish(events...)
	if err := e.Await(b.Context(), func(s *ledger.State) bool { return s.Counts()[ledger.Delivered] == int64(b.N*recipients) }); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(b.N)/seconds, "events/s")
	b.ReportMetric(float64(b.N*recipients)/seconds, "notices/s")
	e.stop()
}
