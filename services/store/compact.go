package store

import (
	"context"
	"errors"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Compacted says what a compaction did.
type Compacted struct {
	Rows   int // in force afterwards; 0 where nothing had to be rewritten
	Erased int // messages overwritten and removed
}

// Compact writes the rows in force as one generation and securely deletes all that is superseded: older versions,
// deleted rows, imports that were given up. Rows that were deleted or changed are gone from the files only after it.
// A generation in the making then fails to commit with a Conflict, as Compact does if one is committed meanwhile.
func (d *Directory) Compact(ctx context.Context) (Compacted, error) {
	const op = "store.Compact"
	h, err := d.head(ctx)
	if err != nil {
		return Compacted{}, fault(op, err)
	}
	var done Compacted
	if len(h.Generations) > 1 || len(h.Generations) == 1 && !h.Generations[0].Merged {
		if done.Rows, err = d.rewrite(ctx); err != nil {
			return Compacted{}, err
		}
		if h, err = d.head(ctx); err != nil {
			return done, fault(op, err)
		}
	}
	done.Erased, err = d.sweep(ctx, h)
	return done, fault(op, err)
}

func (d *Directory) rewrite(ctx context.Context) (int, error) {
	const op = "store.Compact"
	g, err := d.Begin(ctx)
	if err != nil {
		return 0, err
	}
	g.merged = true
	rows, err := d.rows(ctx, g.base)
	if errors.Is(err, errOvertaken) {
		return 0, notice.Fault(notice.Conflict, op, err)
	}
	if err != nil {
		return 0, fault(op, err)
	}
	for _, r := range rows {
		if err := g.Put(ctx, r.Kind, r.ID, r.Value); err != nil {
			return 0, err
		}
	}
	_, err = g.Commit(ctx)
	return len(rows), err
}

// sweep erases the chunks that can never be in force again: those of generations begun before the newest one in
// force that are not in force themselves. Since that one's commit moved HEAD, theirs would fail.
func (d *Directory) sweep(ctx context.Context, h head) (int, error) {
	if h.Revision == 0 {
		return 0, nil
	}
	var dead []uint64
	err := d.scan(ctx, 1, h.Revision, true, func(m Msg) {
		gen, _, _, ok := parseChunkSubject(m.Subject)
		if ok && gen < h.newest() && h.position(gen) < 0 {
			dead = append(dead, m.Seq)
		}
	})
	if err != nil {
		return 0, err
	}
	str, err := d.store.js.Stream(ctx, directoryStream)
	if err != nil {
		return 0, err
	}
	for i, seq := range dead {
		if err := secureDelete(ctx, str, seq); err != nil {
			return i, err
		}
	}
	return len(dead), nil
}
