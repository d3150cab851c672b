package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	leaseStream  = "LEASE"
	leaseSubject = "signalbox.lease"
)

// LeaseRecord says which process was told last that it may lead. It says whom to try, no more: what keeps two leaders
// apart is the expected sequence of each append to the ledger.
type LeaseRecord struct {
	Instance string    `json:"instance"` // its configured name
	Run      string    `json:"run"`      // drawn at its start; empty where the lease was given back
	Key      string    `json:"key"`      // a keyed hash of nothing: whose ledger key is another's must not lead
	Renewed  time.Time `json:"renewed"`  // for people who look; nothing is decided by it
}

// Lease is the one record of who leads.
type Lease struct {
	store *Store
}

// Lease works on the stream that Provision has made.
func (s *Store) Lease() *Lease { return &Lease{store: s} }

// Get reads the record and its revision, from the stream's leader. Revision 0 is that there never was one.
func (l *Lease) Get(ctx context.Context) (LeaseRecord, uint64, error) {
	const op = "store.GetLease"
	var raw *jetstream.RawStreamMsg
	err := l.store.ask(ctx, leaseStream, func(str jetstream.Stream) (err error) {
		raw, err = str.GetLastMsgForSubject(ctx, leaseSubject)
		return err
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return LeaseRecord{}, 0, nil
	}
	if err != nil {
		return LeaseRecord{}, 0, fault(op, err)
	}
	var r LeaseRecord
	if err := json.Unmarshal(raw.Data, &r); err != nil {
		return LeaseRecord{}, 0, notice.Faultf(notice.Internal, op, "the record of who leads cannot be read")
	}
	return r, raw.Sequence, nil
}

// Put replaces the record of a revision and returns the new one. Conflict: another was quicker, or an earlier Put whose
// answer was lost has been stored after all. Unavailable: not known to be stored.
func (l *Lease) Put(ctx context.Context, after uint64, r LeaseRecord) (uint64, error) {
	const op = "store.PutLease"
	data, err := json.Marshal(r)
	if err != nil {
		return 0, notice.Fault(notice.Internal, op, err)
	}
	ack, err := l.store.js.PublishMsg(ctx, newMsg(leaseSubject, nil, data), jetstream.WithExpectStream(leaseStream),
		jetstream.WithExpectLastSequencePerSubject(after), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, fault(op, err)
	}
	return ack.Sequence, nil
}

func (s *Store) leaseConfig() jetstream.StreamConfig {
	cfg := s.base(leaseStream, "Which instance leads", leaseSubject)
	cfg.MaxMsgsPerSubject = 1
	return cfg
}
