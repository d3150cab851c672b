package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

const (
	packFacts = 500
	year      = 2026
	// publishersAtOnce of the floor: enough to keep the disk busy.
	publishersAtOnce = 64
)

// floor is what NATS and the disk allow, with no Signalbox on top.
type floor struct {
	publishes float64 // durable messages a second, many on their way
	packed    float64 // facts a second, one pack on its way
	alone     float64 // milliseconds of one durable publish with nothing beside it
}

// measureFloor publishes to the same streams as Signalbox does, from within the process.
func measureFloor(ctx context.Context, dir string, sizes Sizes) (f floor, err error) {
	data, err := os.MkdirTemp(dir, "floor-")
	if err != nil {
		return f, fmt.Errorf("bench: %w", err)
	}
	defer func() {
		if gone := os.RemoveAll(data); err == nil {
			err = gone
		}
	}()
	server, err := store.StartServer(ctx, store.ServerConfig{StoreDir: data})
	if err != nil {
		return f, err
	}
	defer server.Shutdown()
	conn, err := server.Connect()
	if err != nil {
		return f, err
	}
	defer conn.Close()
	kept, err := store.Open(conn, store.Settings{EventsMaxBytes: eventsBytes})
	if err != nil {
		return f, err
	}
	if err := kept.Provision(ctx, year); err != nil {
		return f, err
	}
	if err := kept.ProvisionAgency(ctx, agency); err != nil {
		return f, err
	}

	body, err := proto.Marshal(meeting(0, "grpc", 0, time.Now()))
	if err != nil {
		return f, fmt.Errorf("bench: %w", err)
	}
	publish := func() error {
		_, err := kept.Events().Publish(ctx, agency, notice.StrategyMeetingConcluded.Family(), nil, body, "")
		return err
	}
	alone := max(sizes.FloorPublishes/10, 1)
	took, err := timed(func() error { return repeat(alone, publish) })
	if err != nil {
		return f, err
	}
	f.alone = took.Seconds() * 1000 / float64(alone)

	each := max(sizes.FloorPublishes/publishersAtOnce, 1)
	took, err = timed(func() error {
		var group errgroup.Group
		for range publishersAtOnce {
			group.Go(func() error { return repeat(each, publish) })
		}
		return group.Wait()
	})
	if err != nil {
		return f, err
	}
	f.publishes = float64(each*publishersAtOnce) / took.Seconds()

	pack, err := samplePack()
	if err != nil {
		return f, err
	}
	log, last := kept.Ledger(year), uint64(0)
	took, err = timed(func() error {
		return repeat(sizes.FloorPacks, func() (err error) {
			last, err = log.Append(ctx, last, pack)
			return err
		})
	})
	if err != nil {
		return f, err
	}
	f.packed = float64(sizes.FloorPacks*packFacts) / took.Seconds()
	return f, nil
}

// samplePack is a pack of the facts that there are most of.
func samplePack() ([]byte, error) {
	pack := &ledgerv1.Pack{Previous: make([]byte, 32), Epoch: 1}
	for i := range packFacts {
		pack.Facts = append(pack.Facts, &ledgerv1.Fact{
			AtMs: time.Now().UnixMilli(),
			Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{
				Notice: fmt.Sprintf("0123456789abcdef%04d", i), Attempt: 1, Outcome: ledgerv1.Outcome_OUTCOME_DELIVERED, Detail: "grpc ok",
			}},
		})
	}
	return proto.Marshal(pack)
}

func repeat(n int, do func() error) error {
	for range n {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}
