package store

import (
	"context"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Room is what is stored, and how much may be.
type Room struct {
	Used  int64 // bytes
	Limit int64 // bytes; 0 where none is known
}

// Left is how much more may be stored; it is not known without a limit.
func (r Room) Left() (bytes int64, known bool) { return max(0, r.Limit-r.Used), r.Limit > 0 }

// AccountRoom is the room of the ROUTER account, as far as its server limits it.
func (s *Store) AccountRoom(ctx context.Context) (Room, error) {
	info, err := s.js.AccountInfo(ctx)
	if err != nil {
		return Room{}, fault("store.AccountRoom", err)
	}
	return Room{Used: int64(info.Store), Limit: max(0, info.Limits.MaxStore)}, nil
}

// Room is the room of the embedded server: what its own limit leaves, and no more than is free on its disk.
func (s *Server) Room() (Room, error) {
	info, err := s.ns.Jsz(&server.JSzOptions{})
	if err != nil {
		return Room{}, fault("store.Room", err)
	}
	r := Room{Used: int64(info.Store), Limit: max(0, info.Config.MaxStore)}
	if free, known := diskFree(s.cfg.StoreDir); known && (r.Limit == 0 || r.Used+free < r.Limit) {
		r.Limit = r.Used + free
	}
	return r, nil
}

// Shelf is the stream of an agency's events.
type Shelf struct {
	Now      time.Time // by the server
	Last     uint64    // sequence of the newest event
	LastAt   time.Time // when it was stored; zero where there never was one
	Bytes    int64     // that it holds
	Limit    int64     // bytes that it may hold
	Accepted bool      // whether it takes events: its limit is as configured
}

// Full says whether a largest event might be refused though the stream takes events.
func (s Shelf) Full() bool { return s.Accepted && s.Bytes+largestEvent > s.Limit }

// largestEvent is an event of the largest size with its headers, and what the server adds.
const largestEvent = 300 << 10

// Shelf looks at the stream of an agency's events.
func (e *Events) Shelf(ctx context.Context, agency notice.AgencyID) (Shelf, error) {
	const op = "store.Shelf"
	if err := checkAgency(op, agency); err != nil {
		return Shelf{}, err
	}
	var info *jetstream.StreamInfo
	err := e.store.ask(ctx, eventsStream(agency), func(str jetstream.Stream) error {
		info = str.CachedInfo()
		return nil
	})
	if err != nil {
		return Shelf{}, fault(op, err)
	}
	return Shelf{
		Now: info.TimeStamp.UTC(), Last: info.State.LastSeq, LastAt: info.State.LastTime.UTC(), Bytes: int64(info.State.Bytes),
		Limit: info.Config.MaxBytes, Accepted: info.Config.MaxBytes >= e.store.settings.EventsMaxBytes,
	}, nil
}

// Admit has the stream of an agency's events take more, or not: then its limit is what it holds, so that the server itself
// refuses what comes over NATS, with a negative acknowledgement. Nothing that it holds goes. What is as it should be is
// not touched.
func (e *Events) Admit(ctx context.Context, agency notice.AgencyID, shelf Shelf, admit bool) error {
	const op = "store.Admit"
	if err := checkAgency(op, agency); err != nil {
		return err
	}
	cfg := e.store.eventsConfig(agency)
	if !admit {
		cfg.MaxBytes = max(1, shelf.Bytes) // 0 would be no limit
	}
	if shelf.Limit == cfg.MaxBytes || !admit && shelf.Limit < cfg.MaxBytes {
		return nil
	}
	if _, err := e.store.js.UpdateStream(ctx, cfg); err != nil {
		return fault(op, err)
	}
	return nil
}
