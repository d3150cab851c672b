package disclosure_test

import (
	"testing"

	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func BenchmarkApply(b *testing.B) {
	f := fill(b, notice.StrategyMeetingConcluded)
	v, err := disclosure.NewView("v", disclosure.LabelNames(), false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		disclosure.Apply(f.event, "c1", recipient, v)
	}
}

func BenchmarkWithhold(b *testing.B) {
	ev := eventWithNames()
	ev.Children[0].Voice = "The child was upstairs, heard shouting and came down when it was over. Nobody was hurt."
	for b.Loop() {
		disclosure.Withhold(ev, "a")
	}
}
