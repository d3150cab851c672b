package routing_test

import (
	"testing"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// BenchmarkDecide decides about one incident with five recipients: two children, three settings and two schools.
func BenchmarkDecide(b *testing.B) {
	w := newWorld(b, "2026-11-05T21:40:00Z", having(pupilAt("ada", enrolled(alder), enrolled(cherry), enrolled(dogwood))))
	events := sources([]*eventv1.Event{incident("i", "2026-11-05T21:10:00Z", "ada", "ben")})
	if d := routing.Decide(events, firstRound(), w.Facts); len(d.Notices) != 5 {
		b.Fatalf("%d notices", len(d.Notices))
	}
	b.ReportAllocs()
	for b.Loop() {
		routing.Decide(events, firstRound(), w.Facts)
	}
}
