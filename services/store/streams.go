package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Settings are what an operator may choose about the streams.
type Settings struct {
	Replicas        int   // 1, 3 or 5; 0 is 1
	EventsMaxBytes  int64 // of each agency; the server reserves it; 0 is 1 GiB
	QuarantineBytes int64 // 0 is 256 MiB
}

const (
	defaultEventsBytes     = 1 << 30
	defaultQuarantineBytes = 256 << 20

	// The dedup window is the smallest the server takes. The ledger is what makes the same event twice one event:
	// a window would only make a reused id lose an event.
	dedupWindow = 100 * time.Millisecond

	ledgerPrefix     = "LEDGER_"
	ledgerFormat     = ledgerPrefix + "%04d"
	eventsPrefix     = "EVENTS_"
	quarantineStream = "QUARANTINE"
	directoryBucket  = "DIRECTORY"
	directoryStream  = "KV_" + directoryBucket
)

// Store is a connection of the ROUTER account, seen as streams. It is safe for use by several goroutines.
type Store struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	settings Settings
	streams  sync.Map // by name, the streams that a message was read from: asking for one again costs as much as reading
}

// Open works on a connection made by Server.Connect or Connect. The caller closes it.
func Open(nc *nats.Conn, settings Settings) (*Store, error) {
	const op = "store.Open"
	switch settings.Replicas {
	case 0:
		settings.Replicas = 1
	case 1, 3, 5:
	default:
		return nil, notice.Fault(notice.Invalid, op, errors.New("replicas: use 1, 3 or 5"))
	}
	if settings.EventsMaxBytes < 0 || settings.QuarantineBytes < 0 {
		return nil, notice.Fault(notice.Invalid, op, errors.New("a stream's size must not be negative"))
	}
	if settings.EventsMaxBytes == 0 {
		settings.EventsMaxBytes = defaultEventsBytes
	}
	if settings.QuarantineBytes == 0 {
		settings.QuarantineBytes = defaultQuarantineBytes
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(asyncTimeout))
	if err != nil {
		return nil, fault(op, err)
	}
	return &Store{nc: nc, js: js, settings: settings}, nil
}

// Provision makes the streams that all agencies share, and the ledger of a year, or brings their settings up to date.
func (s *Store) Provision(ctx context.Context, year int) error {
	for _, cfg := range []jetstream.StreamConfig{s.quarantineConfig(), s.directoryConfig(), s.vaultConfig(), s.leaseConfig(), s.ledgerConfig(year)} {
		if err := s.provision(ctx, cfg); err != nil {
			return err
		}
	}
	return nil
}

// LedgerYear is the year of the ledger in use: the newest there is, else the one given. A ledger goes on in its stream
// until a new one is opened.
func (s *Store) LedgerYear(ctx context.Context, first int) (int, error) {
	try, cancel := context.WithTimeout(ctx, tryFor) // a question that got lost is to be asked again
	defer cancel()
	year := 0
	names := s.js.StreamNames(try)
	for name := range names.Name() {
		var y int
		if n, err := fmt.Sscanf(name, ledgerFormat, &y); err == nil && n == 1 {
			year = max(year, y)
		}
	}
	if err := names.Err(); err != nil {
		return 0, fault("store.LedgerYear", err)
	}
	if year == 0 {
		return first, nil
	}
	return year, nil
}

// ProvisionAgency makes the stream of an agency's events, or brings its settings up to date.
func (s *Store) ProvisionAgency(ctx context.Context, agency notice.AgencyID) error {
	if err := checkAgency("store.ProvisionAgency", agency); err != nil {
		return err
	}
	return s.provision(ctx, s.eventsConfig(agency))
}

// provision makes a stream, or brings its settings up to date. Where the disk has become fuller since than what all streams
// reserve, one that is there stays as it is: what was taken in must be sent, and the guards tell of the room that is left.
func (s *Store) provision(ctx context.Context, cfg jetstream.StreamConfig) error {
	_, err := s.js.CreateOrUpdateStream(ctx, cfg)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeStorageExceeded {
		if _, missing := s.js.Stream(ctx, cfg.Name); missing == nil {
			return nil
		}
	}
	if err != nil {
		return fault("store.Provision", fmt.Errorf("stream %s: %w", cfg.Name, err))
	}
	return nil
}

// base is what all streams have in common. Rollup, TTLs, schedules, counters and batches stay off: each is a header
// by which a publisher could remove or alter what is stored. Full means refused, never the oldest dropped.
func (s *Store) base(name, description string, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        name,
		Description: description,
		Subjects:    subjects,
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    -1,
		MaxMsgs:     -1,
		Duplicates:  dedupWindow,
		Replicas:    s.settings.Replicas,
	}
}

func (s *Store) eventsConfig(agency notice.AgencyID) jetstream.StreamConfig {
	cfg := s.base(eventsStream(agency), "What one agency published", EventSubject(agency, ">"))
	cfg.MaxBytes = s.settings.EventsMaxBytes
	return cfg
}

func (s *Store) quarantineConfig() jetstream.StreamConfig {
	cfg := s.base(quarantineStream, "Refused events with their faults", quarantinePrefix+">")
	cfg.MaxBytes = s.settings.QuarantineBytes
	return cfg
}

func (s *Store) ledgerConfig(year int) jetstream.StreamConfig {
	cfg := s.base(ledgerStream(year), "The ledger of a year", ledgerSubject(year))
	cfg.DenyDelete, cfg.DenyPurge = true, true
	return cfg
}

// directoryConfig is a KV bucket made by hand: the library's own denies deletes, which secure deletion needs,
// and lets replicas answer reads, which would not see a HEAD that has just moved.
func (s *Store) directoryConfig() jetstream.StreamConfig {
	cfg := s.base(directoryStream, "Directory generations", directoryPrefix+">")
	cfg.MaxMsgsPerSubject = 1
	return cfg
}

func eventsStream(agency notice.AgencyID) string { return eventsPrefix + string(agency) }
func ledgerStream(year int) string               { return fmt.Sprintf(ledgerFormat, year) }
func ledgerSubject(year int) string              { return fmt.Sprintf("signalbox.ledger.%04d", year) }
