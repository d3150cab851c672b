package query_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/query"
	"github.com/signalbox-hq/signalbox/services/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait: a test that hangs says where.
const patience = time.Minute

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// started is a read model at work over a log.
type started struct {
	*query.Model
	t    testing.TB
	log  *store.MemLog
	path string
	stop func()
}

func newLog() *store.MemLog { return store.NewMemLog(time.Now) }

func add(t testing.TB, log *store.MemLog, packs ...[]byte) {
	t.Helper()
	for _, p := range packs {
		last, err := log.Last(t.Context())
		check(t, err)
		_, err = log.Append(t.Context(), last, p)
		check(t, err)
	}
}

func start(t testing.TB, log *store.MemLog, path string) *started {
	t.Helper()
	m, err := query.New(query.Deps{Log: log, Logger: zap.NewNop()}, path)
	check(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	s := &started{Model: m, t: t, log: log, path: path}
	s.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		s.stop = func() {}
	}
	t.Cleanup(func() { s.stop() })
	return s
}

// caughtUp waits until the rows have everything in the log.
func (s *started) caughtUp() {
	s.t.Helper()
	last, err := s.log.Last(s.t.Context())
	check(s.t, err)
	s.await("the rows to reach the end", func(st query.Status) bool { return st.Current && st.Packs >= last })
}

func (s *started) await(what string, holds func(query.Status) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	held := false
	s.Watch(ctx, func(st query.Status) {
		if held = held || holds(st); held {
			cancel()
		}
	})
	if !held {
		s.t.Fatalf("waited in vain for %s: %+v", what, s.Status())
	}
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "query.db") }

func TestAnswersAreThoseOfTheLedger(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWriter(r)
		for range rapid.IntRange(1, 150).Draw(r, "length") {
			w.step()
		}
		all := packs(t, w.facts, func() int { return rapid.IntRange(1, 12).Draw(r, "pack") })
		log, path := newLog(), newPath(t)
		// The ledger grows while the model is at work, and while it is not.
		before := rapid.IntRange(0, len(all)).Draw(r, "before")
		between := rapid.IntRange(before, len(all)).Draw(r, "between")
		add(t, log, all[:before]...)
		first := start(t, log, path)
		if rapid.Bool().Draw(r, "to the end") {
			first.caughtUp()
		}
		first.stop()
		add(t, log, all[before:between]...)
		second := start(t, log, path)
		add(t, log, all[between:]...)
		second.caughtUp()
		second.agrees(w.state, w.facts, w.now)
		second.stop()
	})
}

// A kind of fact that is never drawn is one that nobody has compared.
func TestTheLedgersDrawnHaveEveryKindOfFact(t *testing.T) {
	seen := map[string]int{}
	seeds := 12
	if testing.Short() { // shorter ledgers
		seeds *= 4
	}
	for seed := range seeds { // each the same at every run
		w, _ := sample(t, 1200, seed)
		for kind, n := range w.kinds {
			seen[kind] += n
		}
	}
	of := (&ledgerv1.Fact{}).ProtoReflect().Descriptor().Oneofs().ByName("fact").Fields()
	for i := range of.Len() {
		if name := string(of.Get(i).Name()); seen[name] == 0 {
			t.Errorf("no ledger had a fact %s: draw it in generate_test.go", name)
		}
	}
}

// sample is a ledger of a length; a quarter of it where tests are to be short.
func sample(t testing.TB, length, seed int) (*writer, [][]byte) {
	t.Helper()
	if testing.Short() {
		length /= 4
	}
	w := rapid.Custom(func(r *rapid.T) *writer {
		w := newWriter(r)
		for range length {
			w.step()
		}
		return w
	}).Example(seed)
	return w, packs(t, w.facts, func() int { return 5 })
}

func TestAnAnswerHasWhatWasInTheLedgerWhenItWasAskedFor(t *testing.T) {
	w, all := sample(t, 300, 1)
	log := newLog()
	s := start(t, log, newPath(t))
	s.caughtUp()
	told := map[string]int{}
	for i, p := range all {
		add(t, log, p)
		s.await("the pack", func(st query.Status) bool { return st.Packs >= uint64(i+1) })
		for _, f := range w.facts[5*i : min(5*i+5, len(w.facts))] {
			for _, n := range f.GetDecided().GetNotices() {
				facts, err := s.Timeline(t.Context(), query.Subject{Kind: query.Notice, ID: n.GetId()})
				check(t, err)
				told[n.GetId()] = len(facts)
			}
		}
		// Without waiting for anything, the answer has the pack as well.
		if next := i + 1; next < len(all) && i%2 == 0 {
			found, err := s.Search(t.Context(), &ledgerv1.SearchRequest{PageSize: 500})
			check(t, err)
			if len(found.Notices) != min(len(told), 500) {
				t.Fatalf("%d notices after pack %d, want %d", len(found.Notices), i+1, len(told))
			}
		}
	}
	for id, n := range told {
		if n == 0 {
			t.Errorf("notice %s was in the ledger and not in its timeline", id)
		}
	}
	if len(told) == 0 {
		t.Fatal("the ledger has no notice: the test saw nothing")
	}
}

func TestAFileThatIsNoGoodIsMadeAnew(t *testing.T) {
	w, all := sample(t, 400, 2)
	_, others := sample(t, 500, 3)
	if len(others) <= len(all) {
		t.Fatal("the other ledger has to be longer")
	}
	made := func(t *testing.T, from [][]byte) string {
		log, path := newLog(), newPath(t)
		add(t, log, from...)
		s := start(t, log, path)
		s.caughtUp()
		s.stop()
		return path
	}
	for name, spoil := range map[string]func(t *testing.T) string{
		"of a longer ledger": func(t *testing.T) string { return made(t, others) },
		"of another ledger":  func(t *testing.T) string { return made(t, others[:len(all)-1]) },
		"empty": func(t *testing.T) string {
			path := newPath(t)
			check(t, os.WriteFile(path, nil, 0o600))
			return path
		},
		"garbage": func(t *testing.T) string {
			path := newPath(t)
			check(t, os.WriteFile(path, []byte(strings.Repeat("this is no database. ", 5000)), 0o600))
			return path
		},
		"cut short": func(t *testing.T) string {
			path := made(t, all[:len(all)/2])
			info, err := os.Stat(path)
			check(t, err)
			check(t, os.Truncate(path, info.Size()/2))
			return path
		},
		"overwritten in the middle": func(t *testing.T) string {
			path := made(t, all[:len(all)/2])
			data, err := os.ReadFile(path)
			check(t, err)
			for i := 4096; i < len(data); i++ {
				data[i] = 0xAA
			}
			check(t, os.WriteFile(path, data, 0o600))
			return path
		},
		"of another schema": func(t *testing.T) string {
			path := made(t, all)
			query.Execute(t, path, `PRAGMA user_version = 99`)
			return path
		},
		"of an older schema": func(t *testing.T) string {
			path := made(t, all)
			query.Execute(t, path, `PRAGMA user_version = 0`)
			return path
		},
		"without its rows": func(t *testing.T) string {
			path := made(t, all[:len(all)/2])
			query.Execute(t, path, `DELETE FROM notice`, `DELETE FROM task`, `DELETE FROM pack`)
			return path
		},
		"without a table": func(t *testing.T) string {
			path := made(t, all[:len(all)/2])
			query.Execute(t, path, `DROP TABLE about`)
			return path
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := spoil(t)
			log := newLog()
			add(t, log, all...)
			s := start(t, log, path)
			s.caughtUp()
			s.agrees(w.state, w.facts, w.now)
			info, err := os.Stat(path)
			check(t, err)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("the file has mode %v", info.Mode().Perm())
			}
		})
	}
}

func TestAFileDeletedWhileInUseComesBack(t *testing.T) {
	w, all := sample(t, 400, 2)
	for name, spoil := range map[string]func(path string) error{
		"deleted": func(path string) error { return os.Remove(path) },
		"deleted with its log": func(path string) error {
			return errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm"))
		},
		"its log deleted": func(path string) error { return os.Remove(path + "-wal") },
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".other", []byte("something else"), 0o600), os.Rename(path+".other", path))
		},
		"cut to nothing": func(path string) error { return errors.Join(os.Truncate(path, 0), os.Truncate(path+"-wal", 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			log, path := newLog(), newPath(t)
			s := start(t, log, path)
			half := len(all) / 2
			add(t, log, all[:half]...)
			s.caughtUp()
			check(t, spoil(path))
			add(t, log, all[half:]...)
			// Whoever asks meanwhile hears that it is being rebuilt, or has the whole answer: never half of one.
			want := w.state.Overdue(w.now)
			s.await("an answer", func(query.Status) bool {
				got, err := s.Overdue(t.Context(), w.now)
				if err != nil && notice.KindOf(err) != notice.Unavailable {
					t.Fatal(err)
				}
				if err == nil {
					same(t, "half an answer: overdue", want, got)
				}
				_, missing := os.Stat(path)
				return err == nil && !errors.Is(missing, fs.ErrNotExist)
			})
			s.caughtUp()
			s.agrees(w.state, w.facts, w.now)
		})
	}
}

func TestTwoInstancesHaveEachTheirOwn(t *testing.T) {
	w, all := sample(t, 300, 4)
	log := newLog()
	one, two := start(t, log, newPath(t)), start(t, log, newPath(t))
	add(t, log, all...)
	one.caughtUp()
	two.caughtUp()
	one.agrees(w.state, w.facts, w.now)
	two.agrees(w.state, w.facts, w.now)
}

func TestAPlaceThatCannotBeWrittenIsSaidAndTriedAgain(t *testing.T) {
	w, all := sample(t, 100, 5)
	dir := filepath.Join(t.TempDir(), "missing")
	log := newLog()
	add(t, log, all...)
	s := start(t, log, filepath.Join(dir, "query.db"))
	s.await("the fault", func(st query.Status) bool { return st.Fault != "" })
	if _, err := s.Search(t.Context(), &ledgerv1.SearchRequest{}); notice.KindOf(err) != notice.Unavailable {
		t.Fatalf("a search without a read model: %v", err)
	}
	check(t, os.Mkdir(dir, 0o700))
	s.caughtUp()
	s.agrees(w.state, w.facts, w.now)
	if st := s.Status(); st.Fault != "" {
		t.Errorf("still a fault: %+v", st)
	}
}

func TestAWrongSearchNamesTheField(t *testing.T) {
	log := newLog()
	s := start(t, log, newPath(t))
	s.caughtUp()
	first, err := s.Search(t.Context(), &ledgerv1.SearchRequest{})
	check(t, err)
	if len(first.Notices) != 0 || first.Next != "" {
		t.Errorf("an empty ledger has %v", first)
	}
	for field, req := range map[string]*ledgerv1.SearchRequest{
		"reference":        {Reference: "A-"},
		"states":           {States: []ledgerv1.NoticeState{99}},
		"lane":             {Lane: 99},
		"decided_until_ms": {DecidedFromMs: 2, DecidedUntilMs: 2},
		"due_until_ms":     {DueFromMs: 2, DueUntilMs: 1},
		"page_size":        {PageSize: 501},
		"cursor":           {Cursor: "not one of ours"},
	} {
		_, err := s.Search(t.Context(), req)
		var fields []string
		for _, f := range notice.FieldsOf(err) {
			fields = append(fields, f.Field)
		}
		if diff := cmp.Diff([]string{field}, fields); diff != "" || notice.KindOf(err) != notice.Invalid {
			t.Errorf("%v: %v", req, err)
		}
	}
}

func TestACursorIsForItsOwnSearch(t *testing.T) {
	_, all := sample(t, 400, 2)
	log := newLog()
	add(t, log, all...)
	s := start(t, log, newPath(t))
	s.caughtUp()
	first, err := s.Search(t.Context(), &ledgerv1.SearchRequest{PageSize: 1})
	check(t, err)
	if first.Next == "" {
		t.Fatal("one page: the test sees nothing")
	}
	_, err = s.Search(t.Context(), &ledgerv1.SearchRequest{PageSize: 2, Cursor: first.Next})
	check(t, err) // another size is no other search
	_, err = s.Search(t.Context(), &ledgerv1.SearchRequest{Organisation: "school", Cursor: first.Next})
	if fields := notice.FieldsOf(err); len(fields) != 1 || fields[0].Field != "cursor" {
		t.Errorf("the cursor of another search: %v", err)
	}
}
