package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Directory is the KV bucket of directory rows, written in generations.
type Directory struct{ store *Store }

// Directory works on the bucket that Provision has made.
func (s *Store) Directory() *Directory { return &Directory{store: s} }

// Snapshot is the directory under one head: the newest row of each kind and id, by kind and then id.
type Snapshot struct {
	Head        uint64 // 0 where nothing was ever committed
	Rows        []Row
	Generations int // in force; Compact makes them one
}

// loadAttempts bounds a load that Compact keeps overtaking.
const loadAttempts = 5

// errOvertaken says that chunks HEAD named were gone: HEAD has moved, or the store is damaged.
var errOvertaken = errors.New("the directory lacks chunks that its HEAD names")

// Load reads the whole directory, exactly as its head names it.
func (d *Directory) Load(ctx context.Context) (Snapshot, error) {
	const op = "store.Load"
	var tried uint64
	for range loadAttempts {
		h, err := d.head(ctx)
		if err != nil {
			return Snapshot{}, fault(op, err)
		}
		if tried != 0 && h.Revision == tried {
			return Snapshot{}, notice.Fault(notice.Internal, op, errOvertaken)
		}
		rows, err := d.rows(ctx, h)
		if err == nil {
			return Snapshot{Head: h.Revision, Rows: rows, Generations: len(h.Generations)}, nil
		}
		if !errors.Is(err, errOvertaken) {
			return Snapshot{}, fault(op, err)
		}
		tried = h.Revision
	}
	return Snapshot{}, notice.Fault(notice.Unavailable, op, errOvertaken)
}

// Head is the directory's present head, 0 where nothing was ever committed. It grows with each commit.
func (d *Directory) Head(ctx context.Context) (uint64, error) {
	h, err := d.head(ctx)
	return h.Revision, fault("store.Head", err)
}

// WatchHead calls fn with the present head, unless there is none, and with each later one, leaving out those that a
// newer has overtaken. It returns when the context ends or fn returns an error.
func (d *Directory) WatchHead(ctx context.Context, fn func(head uint64) error) error {
	cfg := jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{headSubject}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	}
	var seen uint64
	return d.store.persist(ctx, "store.WatchHead", func(stop func(error) error) error {
		return d.store.consume(ctx, directoryStream, cfg, nil, func(m Msg, _ uint64) error {
			if m.Seq <= seen {
				return nil
			}
			seen = m.Seq
			if err := fn(m.Seq); err != nil {
				return stop(err)
			}
			return nil
		})
	})
}

func (d *Directory) head(ctx context.Context) (head, error) {
	var raw *jetstream.RawStreamMsg
	err := d.store.ask(ctx, directoryStream, func(str jetstream.Stream) (err error) {
		raw, err = str.GetLastMsgForSubject(ctx, headSubject)
		return err
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return head{}, nil
	}
	if err != nil {
		return head{}, err
	}
	h, err := parseHead(raw.Data)
	h.Revision = raw.Sequence
	return h, err
}

type storedChunk struct {
	position, number int
	kind             string
	data             []byte
}

// rows reads the generations that h names and merges them.
func (d *Directory) rows(ctx context.Context, h head) ([]Row, error) {
	if len(h.Generations) == 0 {
		return nil, nil
	}
	chunks, err := d.chunks(ctx, h)
	if err != nil {
		return nil, err
	}
	// Chunks are applied as they were written, whatever order they were stored in.
	slices.SortFunc(chunks, func(a, b storedChunk) int {
		return cmp.Or(cmp.Compare(a.position, b.position), cmp.Compare(a.number, b.number))
	})
	type key struct{ kind, id string }
	merged := make(map[key][]byte, len(chunks)*chunkRows)
	for _, c := range chunks {
		err := decodeChunk(c.data, func(id string, value []byte) {
			k := key{c.kind, id}
			if value == nil {
				delete(merged, k)
				return
			}
			merged[k] = value
		})
		if err != nil {
			return nil, err
		}
	}
	rows := make([]Row, 0, len(merged))
	for k, value := range merged {
		rows = append(rows, Row{Kind: k.kind, ID: k.id, Value: value})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	})
	return rows, nil
}

// chunks reads every chunk of the generations that h names. All of them lie before HEAD in the stream, and after the
// message that gave their generation its number.
func (d *Directory) chunks(ctx context.Context, h head) ([]storedChunk, error) {
	want := 0
	positions := make(map[uint64]int, len(h.Generations))
	for i, g := range h.Generations {
		want += g.Chunks
		positions[g.Number] = i
	}
	chunks := make([]storedChunk, 0, want)
	if want == 0 {
		return chunks, nil
	}
	err := d.scan(ctx, h.Generations[0].Number+1, h.Revision, false, func(m Msg) {
		if gen, kind, number, ok := parseChunkSubject(m.Subject); ok {
			if position, inForce := positions[gen]; inForce {
				chunks = append(chunks, storedChunk{position: position, number: number, kind: kind, data: m.Data})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if len(chunks) != want {
		return nil, errOvertaken
	}
	return chunks, nil
}

// scan hands fn the bucket's messages from one sequence to another. The last may be gone: a newer HEAD, further on,
// then ends the scan.
func (d *Directory) scan(ctx context.Context, from, to uint64, headersOnly bool, fn func(Msg)) error {
	cfg := jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, HeadersOnly: headersOnly,
	}
	return d.store.consume(ctx, directoryStream, cfg, nil, func(m Msg, pending uint64) error {
		if m.Seq <= to {
			fn(m)
		}
		if m.Seq >= to || pending == 0 {
			return errStop
		}
		return nil
	})
}
