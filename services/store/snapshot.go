package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// A stream is backed up by the server's own snapshot, which keeps every message's number, subject, headers and time, and
// the gaps that erasure left: the ledger refers to all of them by number. It works alike for the embedded server and an
// external cluster.

// StreamHead says what a snapshot is of.
type StreamHead struct {
	Config json.RawMessage // as the server has it
	First  uint64          // the oldest message when the snapshot began
	Last   uint64          // the newest then
}

const (
	// snapshotChunk and snapshotWindow are asked of the server: bytes in one message, and on their way at once.
	snapshotChunk  = 128 << 10
	snapshotWindow = 4 << 20
	// snapshotPatience is how long the next chunk may take: the server reads a block of the stream for it.
	snapshotPatience = 30 * time.Second
)

// BackupStreams names the streams of a backup in the order in which they must be taken. The ledger comes first: what it
// refers to was durable before it, so that everything taken later has it. An agency's stream is made before the directory
// names the agency, so the streams are listed after the directory was taken: list again then.
func (s *Store) BackupStreams(ctx context.Context) ([]string, error) {
	var names []string
	listed := s.js.StreamNames(ctx)
	for name := range listed.Name() {
		if restorable(name) {
			names = append(names, name)
		}
	}
	if err := listed.Err(); err != nil {
		return nil, fault("store.BackupStreams", err)
	}
	slices.SortFunc(names, func(a, b string) int {
		if rank(a) != rank(b) {
			return rank(a) - rank(b)
		}
		return strings.Compare(a, b)
	})
	return names, nil
}

// IsLedger says whether a stream is the ledger of a year.
func IsLedger(stream string) bool { return strings.HasPrefix(stream, ledgerPrefix) }

// IsDirectory says whether a stream is the directory.
func IsDirectory(stream string) bool { return stream == directoryStream }

func rank(stream string) int {
	switch {
	case IsLedger(stream):
		return 0
	case IsDirectory(stream):
		return 1
	default:
		return 2
	}
}

// restorable says whether a stream is part of a backup. A lease is not: who led then leads no more.
func restorable(stream string) bool {
	return IsLedger(stream) || IsDirectory(stream) || strings.HasPrefix(stream, eventsPrefix) || stream == quarantineStream ||
		stream == vaultStream
}

// Snapshot writes a whole stream in the server's own form, as Restore takes it.
func (s *Store) Snapshot(ctx context.Context, stream string, w io.Writer) (StreamHead, error) {
	const op = "store.Snapshot"
	inbox := s.nc.NewInbox()
	chunks := make(chan *nats.Msg, snapshotWindow/snapshotChunk*2)
	sub, err := s.nc.ChanSubscribe(inbox, chunks)
	if err != nil {
		return StreamHead{}, fault(op, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	request, err := json.Marshal(map[string]any{
		"deliver_subject": inbox, "no_consumers": true, "chunk_size": snapshotChunk, "window_size": snapshotWindow,
	})
	if err != nil {
		return StreamHead{}, fault(op, err)
	}
	var begun struct {
		apiFault
		Config json.RawMessage `json:"config"`
		State  struct {
			First uint64 `json:"first_seq"`
			Last  uint64 `json:"last_seq"`
		} `json:"state"`
	}
	if err := s.api(ctx, "STREAM.SNAPSHOT."+stream, request, &begun, &begun.apiFault); err != nil {
		return StreamHead{}, fault(op, fmt.Errorf("stream %s: %w", stream, err))
	}
	for {
		chunk, err := next(ctx, chunks)
		if err != nil {
			return StreamHead{}, fault(op, fmt.Errorf("stream %s: the snapshot broke off: %w", stream, err))
		}
		if chunk == nil {
			return StreamHead{Config: begun.Config, First: begun.State.First, Last: begun.State.Last}, nil
		}
		if _, err := w.Write(chunk); err != nil {
			return StreamHead{}, err
		}
	}
}

// next takes a chunk of a snapshot and lets the server send another; none is the end.
func next(ctx context.Context, chunks <-chan *nats.Msg) ([]byte, error) {
	patience := time.NewTimer(snapshotPatience)
	defer patience.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
		return nil, nats.ErrTimeout
	case m := <-chunks:
		switch {
		case len(m.Data) > 0 && m.Reply != "":
			return m.Data, m.Respond(nil)
		case len(m.Data) > 0:
			return m.Data, nil
		}
		// The server says at the end whether it could read to it.
		if status := m.Header.Get("Status"); status != "" && status != "204" {
			return nil, fmt.Errorf("the server gave up: %s %s", status, m.Header.Get("Description"))
		}
		return nil, nil
	}
}

// Restore makes a stream of what Snapshot wrote. The stream must not be there.
func (s *Store) Restore(ctx context.Context, stream string, head StreamHead, r io.Reader) error {
	const op = "store.Restore"
	if !restorable(stream) {
		return notice.Faultf(notice.Invalid, op, "%q is no stream of a backup", stream)
	}
	config, err := s.restoredConfig(head.Config)
	if err != nil {
		return err
	}
	request, err := json.Marshal(map[string]any{
		"config": config, "state": map[string]any{"first_seq": head.First, "last_seq": head.Last},
	})
	if err != nil {
		return fault(op, err)
	}
	var begun struct {
		apiFault
		DeliverSubject string `json:"deliver_subject"`
	}
	if err := s.api(ctx, "STREAM.RESTORE."+stream, request, &begun, &begun.apiFault); err != nil {
		return fault(op, fmt.Errorf("stream %s: %w", stream, err))
	}
	for chunk := make([]byte, snapshotChunk); ; {
		n, err := io.ReadFull(r, chunk)
		if n > 0 {
			if err := s.sendChunk(ctx, begun.DeliverSubject, chunk[:n]); err != nil {
				return fault(op, fmt.Errorf("stream %s: %w", stream, err))
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	// An empty chunk is the end: the stream is there once it is answered.
	if err := s.sendChunk(ctx, begun.DeliverSubject, nil); err != nil {
		return fault(op, fmt.Errorf("stream %s: %w", stream, err))
	}
	_, last, err := s.last(ctx, stream)
	if err != nil {
		return fault(op, err)
	}
	if last < head.Last {
		return notice.Faultf(notice.Internal, op, "stream %s was restored to message %d of %d", stream, last, head.Last)
	}
	return nil
}

// Discard removes streams that Restore made, where the restore as a whole did not come to its end.
func (s *Store) Discard(ctx context.Context, streams []string) error {
	var failed error
	for _, name := range streams {
		if err := s.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			failed = errors.Join(failed, err)
		}
	}
	return fault("store.Discard", failed)
}

// restoredConfig is the stream's configuration with the replicas of this server.
func (s *Store) restoredConfig(stored json.RawMessage) (map[string]any, error) {
	var config map[string]any
	if err := json.Unmarshal(stored, &config); err != nil {
		return nil, notice.Faultf(notice.Invalid, "store.Restore", "a stream's configuration cannot be read")
	}
	config["num_replicas"] = s.settings.Replicas
	return config, nil
}

func (s *Store) sendChunk(ctx context.Context, to string, chunk []byte) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotPatience)
	defer cancel()
	reply, err := s.nc.RequestWithContext(ctx, to, chunk)
	if err != nil || len(reply.Data) == 0 {
		return err
	}
	var answer apiFault
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return err
	}
	return answer.err()
}

// apiFault is how the server says no.
type apiFault struct {
	Error *jetstream.APIError `json:"error"`
}

func (f apiFault) err() error {
	if f.Error == nil {
		return nil
	}
	return f.Error
}

// api makes one request to JetStream that nats.go has no method for.
func (s *Store) api(ctx context.Context, call string, request []byte, answer any, refused *apiFault) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotPatience)
	defer cancel()
	reply, err := s.nc.RequestWithContext(ctx, jetstream.DefaultAPIPrefix+call, request)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(reply.Data, answer); err != nil {
		return err
	}
	return refused.err()
}
