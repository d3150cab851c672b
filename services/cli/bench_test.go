package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/bench"
)

func TestTheTableOfTheBenchSaysWhichGoalsAreMet(t *testing.T) {
	report := bench.Report{
		Cores: 2, FloorPublishes: 6500, FloorPublish: 0.2, FloorPacked: 1_000_000, GRPC: 15_000, GRPCToFloor: 2.31, Stream: 19_999.4, StreamToFloor: 3.08,
		Rate: 9_990, P50: 1.25, P50ToFloor: 6.25, P99: 30, P99ToFloor: 150, SMTP: 7_001, SMTPToFloor: 1.08, Fsyncs: 0.21, FsyncsToFloor: 1.05, Urgent: 1.5,
	}
	var b strings.Builder
	if err := printBench(&b, report); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		if f := strings.Fields(line); strings.HasSuffix(line, "met\n") {
			got = append(got, strings.Join(f, " "))
		}
	}
	want := []string{
		"notices by gRPC, from single NATS publishes 15000/s 2.31 at least 15000/s met",
		"notices by gRPC, from PublishStream 19999/s 3.08 at least 20000/s not met",
		"from publish to receiver, p50 1.25ms 6.25 at most 5.00ms met",
		"from publish to receiver, p99 30.00ms 150 at most 25.00ms not met",
		"emails over kept connections 7001/s 1.08 at least 7000/s met",
		"urgent behind a draining queue, p99 to idle p99 1.50x at most 2.00x met",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("goals (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(b.String(), "on 2 cores; docs/performance.md says what bounds each figure\n") {
		t.Errorf("the last line does not say on what: %s", b.String())
	}
}
