package bench

import (
	"context"
	"fmt"
	"slices"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
)

// Options are what a run is given of the world.
type Options struct {
	Sizes Sizes
	// Dir is where the stages keep their data: the disk that is measured. Empty is the folder for temporary files.
	Dir string
	// Progress hears which stage runs, and how many of all are done; nil hears nothing.
	Progress func(stage string, done, of int)
}

// Run measures every figure, one stage after the other.
func Run(ctx context.Context, o Options) (Report, error) {
	var r Report
	b := run{Options: o, report: &r}
	stages := []struct {
		name string
		run  func(context.Context) error
	}{
		{"the floor", b.floor},
		{"single NATS publishes, told by gRPC", b.single},
		{"PublishStream, told by gRPC", b.stream},
		{"10,000 notices a second", b.steady},
		{"emails", b.emails},
		{"urgent behind routine", b.urgent},
	}
	for i, stage := range stages {
		if o.Progress != nil {
			o.Progress(stage.name, i, len(stages))
		}
		if err := stage.run(ctx); err != nil {
			return Report{}, err
		}
	}
	if o.Progress != nil {
		o.Progress("done", len(stages), len(stages))
	}
	return r.withRatios(), nil
}

type run struct {
	Options
	report *Report
}

func (b run) floor(ctx context.Context) error {
	f, err := measureFloor(ctx, b.Dir, b.Sizes)
	b.report.FloorPublishes, b.report.FloorPublish, b.report.FloorPacked = f.publishes, f.alone, f.packed
	return err
}

// warm has every connection made and every path run once.
func (b run) warm(ctx context.Context, w *world, channel string) error {
	if err := w.publish(ctx, max(b.Sizes.Events/50, 1), channel, eventv1.RiskGrade_RISK_GRADE_MEDIUM); err != nil {
		return err
	}
	return w.settled(ctx)
}

// throughput is how many notices a second are settled, from the first publish to the last finishing fact.
func (b run) throughput(ctx context.Context, w *world, channel string, publish func() error) (float64, error) {
	if err := b.warm(ctx, w, channel); err != nil {
		return 0, err
	}
	took, err := timed(func() error {
		if err := publish(); err != nil {
			return err
		}
		return w.settled(ctx)
	})
	return float64(b.Sizes.Events*recipients) / took.Seconds(), err
}

func (b run) single(ctx context.Context) error {
	return within(ctx, b.Dir, func(ctx context.Context, w *world) (err error) {
		var before uint64
		b.report.GRPC, err = b.throughput(ctx, w, delivery.GRPC, func() error {
			if before, err = w.service.Stored(ctx); err != nil {
				return err
			}
			return w.publish(ctx, b.Sizes.Events, delivery.GRPC, eventv1.RiskGrade_RISK_GRADE_MEDIUM)
		})
		if err != nil {
			return err
		}
		after, err := w.service.Stored(ctx)
		b.report.Fsyncs = float64(after-before) / float64(b.Sizes.Events*recipients)
		return err
	})
}

func (b run) stream(ctx context.Context) error {
	return within(ctx, b.Dir, func(ctx context.Context, w *world) (err error) {
		b.report.Stream, err = b.throughput(ctx, w, delivery.GRPC, func() error {
			return w.stream(ctx, b.Sizes.Events, delivery.GRPC, eventv1.RiskGrade_RISK_GRADE_MEDIUM)
		})
		return err
	})
}

func (b run) steady(ctx context.Context) error {
	return within(ctx, b.Dir, func(ctx context.Context, w *world) error {
		if err := b.warm(ctx, w, delivery.GRPC); err != nil {
			return err
		}
		a := newArrivals()
		w.watch(a)
		before := w.next
		took, err := timed(func() error {
			if err := w.steady(ctx, b.Sizes.Rate, b.Sizes.Steady, a); err != nil {
				return err
			}
			return w.settled(ctx)
		})
		b.report.Rate = float64((w.next-before)*recipients) / took.Seconds()
		b.report.P50, b.report.P99 = a.percentile(50), a.percentile(99)
		return err
	})
}

func (b run) emails(ctx context.Context) error {
	return within(ctx, b.Dir, func(ctx context.Context, w *world) (err error) {
		b.report.SMTP, err = b.throughput(ctx, w, delivery.Email, func() error {
			return w.publish(ctx, b.Sizes.Events, delivery.Email, eventv1.RiskGrade_RISK_GRADE_MEDIUM)
		})
		if taken, want := w.relay.taken.Load(), int64(w.next*recipients); err == nil && taken != want {
			return fmt.Errorf("bench: the relay took %d mails for %d notices: no figure is taken", taken, want)
		}
		return err
	})
}

// urgent is the median of several runs, each in a world of its own.
func (b run) urgent(ctx context.Context) error {
	var ratios []float64
	for range b.Sizes.UrgentRuns {
		err := within(ctx, b.Dir, func(ctx context.Context, w *world) error {
			if err := b.warm(ctx, w, delivery.GRPC); err != nil {
				return err
			}
			ratio, err := w.urgentRatio(ctx, b.Sizes)
			ratios = append(ratios, ratio)
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(ratios)
	b.report.Urgent = ratios[len(ratios)/2]
	return nil
}
