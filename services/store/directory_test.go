package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// commit writes a generation: "kind/id=value" puts, "kind/id" deletes.
func commit(t testing.TB, d *Directory, changes ...string) uint64 {
	t.Helper()
	ctx := testContext(t)
	g := got(d.Begin(ctx)).or(t)
	apply(t, g, changes...)
	return got(g.Commit(ctx)).or(t)
}

func apply(t testing.TB, g *Generation, changes ...string) {
	t.Helper()
	for _, c := range changes {
		key, value, put := strings.Cut(c, "=")
		kind, id, _ := strings.Cut(key, "/")
		if put {
			check(t, g.Put(t.Context(), kind, id, []byte(value)))
		} else {
			check(t, g.Delete(t.Context(), kind, id))
		}
	}
}

func rows(t testing.TB, d *Directory) []string {
	t.Helper()
	var out []string
	for _, r := range got(d.Load(testContext(t))).or(t).Rows {
		out = append(out, fmt.Sprintf("%s/%s=%s", r.Kind, r.ID, r.Value))
	}
	return out
}

func TestTheNewestGenerationOfARowCounts(t *testing.T) {
	d := newRig(t).store.Directory()
	if snap := got(d.Load(testContext(t))).or(t); snap.Head != 0 || len(snap.Rows) != 0 {
		t.Errorf("an empty directory loads as %v", snap)
	}
	first := commit(t, d, "org/a=1", "org/b=1", "contact/a=1", "org/a=2")
	if diff := cmp.Diff([]string{"contact/a=1", "org/a=2", "org/b=1"}, rows(t, d)); diff != "" {
		t.Error(diff)
	}
	second := commit(t, d, "org/b", "org/c=", "org/absent")
	third := commit(t, d, "org/a=3")
	if diff := cmp.Diff([]string{"contact/a=1", "org/a=3", "org/c="}, rows(t, d)); diff != "" {
		t.Error(diff)
	}
	if head := got(d.Head(testContext(t))).or(t); head != third || second <= first || third <= second {
		t.Errorf("heads %d, %d, %d; the present one is %d", first, second, third, head)
	}
	commit(t, d, "org/b=back")
	if diff := cmp.Diff([]string{"contact/a=1", "org/a=3", "org/b=back", "org/c="}, rows(t, d)); diff != "" {
		t.Error(diff)
	}
	if snap := got(d.Load(testContext(t))).or(t); snap.Generations != 4 {
		t.Errorf("%d generations, want 4", snap.Generations)
	}
}

func TestRowIDsAreAnyBytes(t *testing.T) {
	d := newRig(t).store.Directory()
	ctx := testContext(t)
	ids := []string{"", " ", "a.b", "*", ">", "../..", "Ynys Môn", "\x00\xff", strings.Repeat("long", 1000)}
	g := got(d.Begin(ctx)).or(t)
	want := map[string]string{}
	for i, id := range ids {
		check(t, g.Put(ctx, "setting", id, fmt.Appendf(nil, "%d", i)))
		want[id] = fmt.Sprint(i)
	}
	got(g.Commit(ctx)).or(t)
	have := map[string]string{}
	for _, r := range got(d.Load(ctx)).or(t).Rows {
		have[r.ID] = string(r.Value)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

func TestNothingShowsBeforeTheCommitAndAllAfter(t *testing.T) {
	d := newRig(t).store.Directory()
	ctx := testContext(t)
	commit(t, d, "org/a=old")
	g := got(d.Begin(ctx)).or(t)
	const many = 5*chunkRows + 1
	check(t, g.Put(ctx, "org", "a", []byte("new")))
	for i := range many {
		check(t, g.Put(ctx, "enrolment", fmt.Sprint(i), []byte("x")))
	}
	if diff := cmp.Diff([]string{"org/a=old"}, rows(t, d)); diff != "" {
		t.Error(diff)
	}
	head := got(g.Commit(ctx)).or(t)
	snap := got(d.Load(ctx)).or(t)
	if len(snap.Rows) != many+1 || snap.Head != head {
		t.Errorf("%d rows under head %d, want %d under %d", len(snap.Rows), snap.Head, many+1, head)
	}
	if again := got(g.Commit(ctx)); again.err == nil && again.v != head {
		t.Errorf("a second commit moved the head to %d", again.v)
	}
	if err := g.Put(ctx, "org", "a", nil); notice.KindOf(err) != notice.Precondition {
		t.Errorf("a row after the commit: %v", err)
	}
}

func TestOfTwoImportsAtOnceOneCommits(t *testing.T) {
	d := newRig(t).store.Directory()
	ctx := testContext(t)
	commit(t, d, "org/a=0")
	slow, quick := got(d.Begin(ctx)).or(t), got(d.Begin(ctx)).or(t)
	apply(t, slow, "org/a=slow", "org/slow=1")
	apply(t, quick, "org/a=quick")
	got(quick.Commit(ctx)).or(t)
	for range 2 {
		if _, err := slow.Commit(ctx); notice.KindOf(err) != notice.Conflict {
			t.Errorf("the slower: %v, want a conflict", err)
		}
	}
	if diff := cmp.Diff([]string{"org/a=quick"}, rows(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestAGenerationWithoutRowsChangesNothing(t *testing.T) {
	d := newRig(t).store.Directory()
	before := commit(t, d, "org/a=0")
	if after := commit(t, d); after != before {
		t.Errorf("head moved from %d to %d", before, after)
	}
}

func TestRowsThatCannotBeStoredAreRefused(t *testing.T) {
	d := newRig(t).store.Directory()
	ctx := testContext(t)
	g := got(d.Begin(ctx)).or(t)
	for name, err := range map[string]error{
		"too large":         g.Put(ctx, "org", "a", make([]byte, 1<<20)),
		"no kind":           g.Put(ctx, "", "a", nil),
		"a kind with a dot": g.Put(ctx, "a.b", "a", nil),
		"a kind as a wild":  g.Delete(ctx, ">", "a"),
	} {
		if notice.KindOf(err) != notice.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	// A row that fits, beside many that fill its chunk, is stored all the same.
	for i := range 3 {
		check(t, g.Put(ctx, "org", fmt.Sprint(i), make([]byte, 900<<10)))
		check(t, g.Put(ctx, "org", fmt.Sprint("small", i), make([]byte, 200<<10)))
	}
	got(g.Commit(ctx)).or(t)
	if n := len(got(d.Load(ctx)).or(t).Rows); n != 6 {
		t.Errorf("%d rows, want 6", n)
	}
}

func TestAnImportThatIsCutShortNeverCommits(t *testing.T) {
	d := newRig(t).store.Directory()
	ctx, cancel := context.WithCancel(testContext(t))
	g := got(d.Begin(ctx)).or(t)
	apply(t, g, "org/a=1")
	cancel()
	if _, err := g.Commit(ctx); notice.KindOf(err) != notice.Unavailable {
		t.Fatalf("commit: %v, want unavailable", err)
	}
	if _, err := g.Commit(testContext(t)); notice.KindOf(err) != notice.Unavailable {
		t.Errorf("commit again: %v, want it to stay failed", err)
	}
	if snap := got(d.Load(testContext(t))).or(t); snap.Head != 0 {
		t.Errorf("head is %d", snap.Head)
	}
}

func TestTheHeadIsWatched(t *testing.T) {
	d := newRig(t).store.Directory()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	first := commit(t, d, "org/a=1")
	heard, ended := make(chan uint64), make(chan error, 1)
	go func() { ended <- d.WatchHead(ctx, func(head uint64) error { heard <- head; return nil }) }()
	if head := <-heard; head != first {
		t.Errorf("heard %d, want the present head %d", head, first)
	}
	second := commit(t, d, "org/a=2")
	if head := <-heard; head != second {
		t.Errorf("heard %d, want %d", head, second)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestCompactionKeepsTheRowsAndErasesTheRest(t *testing.T) {
	r := newRig(t)
	d := r.store.Directory()
	ctx := testContext(t)
	secret := "wren.tolliver@old.example"
	commit(t, d, "contact/1="+secret, "contact/2=b@ashmere.example", "org/a=1")
	commit(t, d, "contact/1", "org/a=2")
	doomed := got(d.Begin(ctx)).or(t)
	given := got(d.Begin(ctx)).or(t)
	check(t, given.Put(ctx, "contact", "9", []byte("given.up@old.example")))
	check(t, given.send(ctx, "test", "contact", given.open["contact"])) // stored, never committed
	check(t, given.await(ctx, "test", 1))
	if !inFiles(t, r.dir, []byte(secret)) || !inFiles(t, r.dir, []byte("given.up")) {
		t.Fatal("the rows are not in the files to begin with: the test would prove nothing")
	}

	done := got(d.Compact(ctx)).or(t)
	// Generation one has a chunk of contacts and one of organisations, so has the second; and the one given up.
	if diff := cmp.Diff(Compacted{Rows: 2, Erased: 5}, done); diff != "" {
		t.Error(diff)
	}
	want := []string{"contact/2=b@ashmere.example", "org/a=2"}
	if diff := cmp.Diff(want, rows(t, d)); diff != "" {
		t.Error(diff)
	}
	if inFiles(t, r.dir, []byte(secret)) || inFiles(t, r.dir, []byte("given.up")) {
		t.Error("superseded rows are still in the files")
	}
	apply(t, doomed, "org/z=1")
	if _, err := doomed.Commit(ctx); notice.KindOf(err) != notice.Conflict {
		t.Errorf("an import that ran meanwhile: %v, want a conflict", err)
	}
	if again := got(d.Compact(ctx)).or(t); again.Rows != 0 {
		t.Errorf("compacting again rewrote %d rows", again.Rows)
	}
	commit(t, d, "contact/2", "org/a")
	got(d.Compact(ctx)).or(t)
	if left := rows(t, d); len(left) != 0 || inFiles(t, r.dir, []byte("b@ashmere.example")) {
		t.Errorf("after all was deleted: %v", left)
	}
	commit(t, d, "org/n=1")
	if diff := cmp.Diff([]string{"org/n=1"}, rows(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestALoadDuringCompactionsIsWholeOrUnavailable(t *testing.T) {
	r := newRig(t)
	d := r.store.Directory()
	ctx := testContext(t)
	commit(t, d, "org/a=1", "org/b=1")
	ended := make(chan error, 1)
	go func() {
		for i := range 20 {
			g, err := d.Begin(ctx)
			if err == nil {
				err = errors.Join(g.Put(ctx, "org", "a", fmt.Append(nil, i)), g.Put(ctx, "org", "b", fmt.Append(nil, i)))
			}
			if err == nil {
				_, err = g.Commit(ctx)
			}
			if err == nil {
				_, err = d.Compact(ctx)
			}
			if err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	loads := 0
	for {
		select {
		case err := <-ended:
			check(t, err)
			if loads == 0 {
				t.Error("no load ran meanwhile")
			}
			return
		default:
		}
		snap, err := d.Load(ctx)
		if notice.KindOf(err) == notice.Unavailable && err != nil {
			continue
		}
		check(t, err)
		if len(snap.Rows) != 2 || string(snap.Rows[0].Value) != string(snap.Rows[1].Value) {
			t.Fatalf("half an import shows: %v", snap.Rows)
		}
		loads++
	}
}

func TestADirectoryThatLacksAChunkIsNotLoaded(t *testing.T) {
	r := newRig(t)
	d := r.store.Directory()
	ctx := testContext(t)
	commit(t, d, "org/a=1", "contact/b=1")
	check(t, r.store.erase(ctx, directoryStream, 2))
	if _, err := d.Load(ctx); notice.KindOf(err) != notice.Internal {
		t.Errorf("%v, want internal", err)
	}
}

func FuzzDecodeChunk(f *testing.F) {
	var c chunk
	c.add(opPut, "a", []byte("value"))
	c.add(opDelete, "b", nil)
	f.Add(c.data)
	f.Add([]byte{chunkVersion, opPut, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var again chunk
		if decodeChunk(data, func(id string, value []byte) {
			if value == nil {
				again.add(opDelete, id, nil)
			} else {
				again.add(opPut, id, value)
			}
		}) != nil || again.rows == 0 {
			return
		}
		n := 0
		if err := decodeChunk(again.data, func(string, []byte) { n++ }); err != nil || n != again.rows {
			t.Errorf("%d rows became %d: %v", again.rows, n, err)
		}
	})
}

func FuzzParseHead(f *testing.F) {
	f.Add([]byte(`{"generations":[{"number":1,"chunks":2},{"number":5,"chunks":1,"merged":true}]}`))
	f.Add([]byte(`{"generations":[{"number":5,"chunks":2},{"number":1,"chunks":1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHead(data)
		if err != nil {
			return
		}
		for i, g := range h.Generations {
			if g.Number == 0 || g.Number > h.newest() || g.Chunks < 0 {
				t.Errorf("generation %d is %v", i, g)
			}
		}
	})
}
