package bench_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/signalbox-hq/signalbox/services/bench"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tiny runs every stage on real parts, and measures nothing that anybody should believe.
func tiny() bench.Sizes {
	return bench.Sizes{
		FloorPublishes: 128, FloorPacks: 4, Events: 20, Rate: 250, Steady: 200 * time.Millisecond,
		Routine: 100, UrgentIdle: 4, UrgentEvery: 5 * time.Millisecond, UrgentRuns: 1,
	}
}

func TestARunGivesEveryFigureAndItsRatio(t *testing.T) {
	var stages []string
	report, err := bench.Run(t.Context(), bench.Options{
		Sizes: tiny(), Dir: t.TempDir(),
		Progress: func(stage string, done, of int) {
			if done != len(stages) || of < done {
				t.Errorf("%s: %d of %d, after %d stages", stage, done, of, len(stages))
			}
			stages = append(stages, stage)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var flat map[string]float64 // an object within the object would not fit
	if err := json.Unmarshal(text, &flat); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"floor_publishes_per_s", "floor_packed_facts_per_s", "floor_publish_ms", "publish_stream_notices_per_s",
		"grpc_notices_per_s", "grpc_p50_ms_at_10000", "grpc_p99_ms_at_10000", "grpc_reached_at_10000", "smtp_emails_per_s",
		"fsyncs_per_notice", "urgent_p99_ratio", "grpc_notices_per_s_to_floor", "publish_stream_notices_per_s_to_floor",
		"grpc_p50_ms_at_10000_to_floor", "grpc_p99_ms_at_10000_to_floor", "smtp_emails_per_s_to_floor", "fsyncs_per_notice_to_floor",
	} {
		if v, ok := flat[key]; !ok || v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			t.Errorf("%s is %v", key, v)
		}
	}
	if report.P50 > report.P99 {
		t.Errorf("p50 %v ms is above p99 %v ms", report.P50, report.P99)
	}
	if report.Fsyncs < 0.2 { // each event is one, and five are told of it
		t.Errorf("%v fsyncs for each notice: fewer than the events alone take", report.Fsyncs)
	}
	if want := 7; len(stages) != want {
		t.Errorf("progress told of %d stages and the end, want %d: %q", len(stages), want, stages)
	}
	if len(report.Rows()) == 0 {
		t.Error("the table is empty")
	}
}
