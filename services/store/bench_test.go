package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pack200 has the size of a pack of 200 facts.
func pack200() []byte { return make([]byte, 20<<10) }

func BenchmarkLogAppend(b *testing.B) {
	l := newRig(b).store.Ledger(year)
	pack := pack200()
	seq := uint64(0)
	for b.Loop() {
		next, err := l.Append(b.Context(), seq, pack)
		check(b, err)
		seq = next
	}
	b.ReportMetric(float64(b.N*200)/b.Elapsed().Seconds(), "facts/s")
}

func BenchmarkLogRead(b *testing.B) {
	l := newRig(b).store.Ledger(year)
	const packs = 1000
	for i := range uint64(packs) {
		got(l.Append(b.Context(), i, pack200())).or(b)
	}
	for b.Loop() {
		if last, err := l.Read(b.Context(), 1, func(uint64, time.Time, []byte) error { return nil }); last != packs || err != nil {
			b.Fatal(last, err)
		}
	}
	b.ReportMetric(float64(b.N*packs*200)/b.Elapsed().Seconds(), "facts/s")
}

func BenchmarkEventsPublish(b *testing.B) {
	for _, flights := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("in_flight=%d", flights), func(b *testing.B) {
			e := newRig(b, ashmere).store.Events()
			data := make([]byte, 1<<10)
			b.SetParallelism(max(flights/2, 1)) // per processor; there are two
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := e.Publish(b.Context(), ashmere, family, nil, data, ""); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

const importRows = 100_000

// BenchmarkDirectoryImport compares what Generation does with one message a row, as pipelined asynchronous publishes.
func BenchmarkDirectoryImport(b *testing.B) {
	value := make([]byte, 100)
	b.Run("chunks", func(b *testing.B) {
		d := newRig(b).store.Directory()
		for b.Loop() {
			g := got(d.Begin(b.Context())).or(b)
			for i := range importRows {
				check(b, g.Put(b.Context(), "enrolment", fmt.Sprint(i), value))
			}
			got(g.Commit(b.Context())).or(b)
		}
		b.ReportMetric(float64(b.N*importRows)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("one message a row", func(b *testing.B) {
		r := newRig(b)
		for b.Loop() {
			var futures []jetstream.PubAckFuture
			for i := range importRows {
				f := got(r.store.js.PublishMsgAsync(&nats.Msg{Subject: fmt.Sprintf("%sg1.enrolment.%d", directoryPrefix, i), Data: value}, jetstream.WithStallWait(time.Minute))).or(b)
				futures = append(futures, f)
			}
			for _, f := range futures {
				select {
				case <-f.Ok():
				case err := <-f.Err():
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.N*importRows)/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkDirectoryLoad(b *testing.B) {
	d := newRig(b).store.Directory()
	g := got(d.Begin(b.Context())).or(b)
	for i := range importRows {
		check(b, g.Put(b.Context(), "enrolment", fmt.Sprint(i), make([]byte, 100)))
	}
	got(g.Commit(b.Context())).or(b)
	for b.Loop() {
		if snap := got(d.Load(b.Context())).or(b); len(snap.Rows) != importRows {
			b.Fatal(len(snap.Rows))
		}
	}
}
