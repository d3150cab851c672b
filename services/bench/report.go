package bench

import "runtime"

// Report is the figures of one run, flat for programs to read. A ratio beside a figure is to the floor of the same run:
// rates to floor_publishes_per_s, times to floor_publish_ms, and fsyncs to one event's share of the one that its own
// message costs.
type Report struct {
	Cores int `json:"cores"`

	FloorPublishes float64 `json:"floor_publishes_per_s"`
	FloorPublish   float64 `json:"floor_publish_ms"`
	FloorPacked    float64 `json:"floor_packed_facts_per_s"`

	GRPC        float64 `json:"grpc_notices_per_s"`
	GRPCToFloor float64 `json:"grpc_notices_per_s_to_floor"`

	Stream        float64 `json:"publish_stream_notices_per_s"`
	StreamToFloor float64 `json:"publish_stream_notices_per_s_to_floor"`

	Rate       float64 `json:"grpc_reached_at_10000"` // notices a second that were settled in the stage of that rate
	P50        float64 `json:"grpc_p50_ms_at_10000"`
	P50ToFloor float64 `json:"grpc_p50_ms_at_10000_to_floor"`
	P99        float64 `json:"grpc_p99_ms_at_10000"`
	P99ToFloor float64 `json:"grpc_p99_ms_at_10000_to_floor"`

	SMTP        float64 `json:"smtp_emails_per_s"`
	SMTPToFloor float64 `json:"smtp_emails_per_s_to_floor"`

	Fsyncs        float64 `json:"fsyncs_per_notice"` // messages stored, each with an fsync of its own, in the stage of grpc_notices_per_s
	FsyncsToFloor float64 `json:"fsyncs_per_notice_to_floor"`

	Urgent float64 `json:"urgent_p99_ratio"` // is itself to the idle p99 of the same run
}

// withRatios fills in the ratios.
func (r Report) withRatios() Report {
	r.Cores = runtime.GOMAXPROCS(0)
	r.GRPCToFloor = r.GRPC / r.FloorPublishes
	r.StreamToFloor = r.Stream / r.FloorPublishes
	r.SMTPToFloor = r.SMTP / r.FloorPublishes
	r.P50ToFloor = r.P50 / r.FloorPublish
	r.P99ToFloor = r.P99 / r.FloorPublish
	r.FsyncsToFloor = r.Fsyncs * recipients
	return r
}

// Row is one line of the report for people.
type Row struct {
	What    string
	Figure  float64
	Unit    string
	Ratio   float64 // to the floor; 0 where it is one
	Goal    float64 // 0 where there is none
	AtLeast bool    // whether the goal is to reach, else not to exceed
}

// Met says whether the figure meets its goal.
func (r Row) Met() bool {
	if r.AtLeast {
		return r.Figure >= r.Goal
	}
	return r.Figure <= r.Goal
}

// Rows are the report for people. The goals are those for two cores.
func (r Report) Rows() []Row {
	return []Row{
		{What: "floor: durable publishes", Figure: r.FloorPublishes, Unit: "/s"},
		{What: "floor: one durable publish alone", Figure: r.FloorPublish, Unit: "ms"},
		{What: "floor: packed facts", Figure: r.FloorPacked, Unit: "/s"},
		{What: "notices by gRPC, from single NATS publishes", Figure: r.GRPC, Unit: "/s", Ratio: r.GRPCToFloor, Goal: 15_000, AtLeast: true},
		{What: "notices by gRPC, from PublishStream", Figure: r.Stream, Unit: "/s", Ratio: r.StreamToFloor, Goal: 20_000, AtLeast: true},
		{What: "offered 10,000 notices a second: settled", Figure: r.Rate, Unit: "/s", Ratio: r.Rate / r.FloorPublishes},
		{What: "  from publish to receiver, p50", Figure: r.P50, Unit: "ms", Ratio: r.P50ToFloor, Goal: 5},
		{What: "  from publish to receiver, p99", Figure: r.P99, Unit: "ms", Ratio: r.P99ToFloor, Goal: 25},
		{What: "emails over kept connections", Figure: r.SMTP, Unit: "/s", Ratio: r.SMTPToFloor, Goal: 7_000, AtLeast: true},
		{What: "fsyncs for each notice", Figure: r.Fsyncs, Ratio: r.FsyncsToFloor},
		{What: "urgent behind a draining queue, p99 to idle p99", Figure: r.Urgent, Unit: "x", Goal: 2},
	}
}
