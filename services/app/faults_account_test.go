package app_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// account counts what went in, by the acknowledgements that publishers had, and what came out, by what reached somebody.
type account struct {
	form extent
	seed uint64

	mu      sync.Mutex
	taken   map[entry]bool  // acknowledged as stored
	ids     map[string]bool // of those: agency and id, each once
	unclear int             // publishes that were refused, or never answered: the publisher tries again
	notes   []string
	sinks   []func() []arrival

	// What balance found.
	balanced bool
	counts   counts
}

// entry is one message of an agency's stream.
type entry struct {
	agency   notice.AgencyID
	sequence uint64
}

// arrival is a notice that reached somebody, as they have it.
type arrival struct {
	notice  string // its reference
	message string // the same in each copy of one message: a Message-ID, an idempotency key
	marked  bool   // as a possible duplicate
}

type counts struct {
	accepted, repeated, refused, quarantined int
	notices, ended, person, held             int
	arrived, doubled, marked                 int
	packs, facts                             int64
}

func newAccount(f extent, seed uint64) *account {
	return &account{form: f, seed: seed, taken: map[entry]bool{}, ids: map[string]bool{}}
}

// pick is a number by the form that runs.
func (a *account) pick(short, ci, long int) int { return []int{short, ci, long}[a.form] }

// note puts something that was measured beside the counts.
func (a *account) note(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

func (a *account) noted() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.notes) == 0 {
		return ""
	}
	return ": " + strings.Join(a.notes, "; ")
}

// took counts an event in: its publisher has the acknowledgement that it is stored under a sequence.
func (a *account) took(agency notice.AgencyID, id string, sequence uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken[entry{agency, sequence}] = true
	a.ids[string(agency)+" "+id] = true
}

// distinct is how many different events were acknowledged so far.
func (a *account) distinct() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

// publish publishes an event over NATS once, and counts it in where that is acknowledged.
func (a *account) publish(agency *apptest.Agency, ev *eventv1.Event) error {
	header, data, err := intake.Encode(ev, intake.Protobuf)
	if err != nil {
		return err
	}
	return a.publishRaw(agency, ev.Id, store.EventSubject(agency.ID, notice.EventKind(ev.Type).Family()), header, data)
}

// publishRaw is publish for any bytes, under an id of their own.
func (a *account) publishRaw(agency *apptest.Agency, id, subject string, header intake.Header, data []byte) error {
	js, err := agency.NATS.JetStream(nats.MaxWait(2 * time.Second))
	if err != nil {
		return err
	}
	ack, err := js.PublishMsg(&nats.Msg{Subject: subject, Header: nats.Header(header), Data: data})
	if err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.unclear++
		return err
	}
	a.took(agency.ID, id, ack.Sequence)
	return nil
}

// publishUntilTaken publishes as the guide tells publishers to: again, until it is acknowledged.
func (a *account) publishUntilTaken(agency *apptest.Agency, ev *eventv1.Event) error {
	for deadline := time.Now().Add(90 * time.Second); ; {
		err := a.publish(agency, ev)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		<-time.After(20 * time.Millisecond) // a publisher's own pause
	}
}

// quiet says whether a service has taken in all that was acknowledged, and each notice has an end or an owner.
func (a *account) quiet(s *ledgerv1.SummaryResponse) bool {
	return s.Idle && s.WithoutEndOrOwner == 0 && int(s.Events+s.Refused) >= a.distinct()
}

// mailbox has the account count what a mail server takes.
func (a *account) mailbox(server mailServer) { a.sink(func() []arrival { return mailed(server) }) }

// sink has the account count what reaches somebody else.
func (a *account) sink(arrivals func() []arrival) { a.sinks = append(a.sinks, arrivals) }

// mailServer is whoever takes mail.
type mailServer interface{ All() []mailbox.Mail }

// mailed is each notice that a mail server took, without the mails that carry codes.
func mailed(server mailServer) []arrival {
	var all []arrival
	for _, m := range server.All() {
		if strings.Contains(m.Subject, "Signalbox code") {
			continue
		}
		all = append(all, arrival{
			notice: m.Header["X-Signalbox-Notice"], message: m.MessageID, marked: m.Header["X-Signalbox-Possible-Duplicate"] != "",
		})
	}
	return all
}

// balance reads the ledger that a service left, apart from any service, and holds it against what went in and came out.
// Everything must have come to rest by then. now is the time by the clock that the service had.
func (a *account) balance(t *testing.T, s *store.Store, now time.Time) *books {
	t.Helper()
	b := readBooks(t, s)
	// A service shows what it has recorded a moment before that is durable: its last pack may be on its way.
	for end := time.Now().Add(10 * time.Second); !b.state.Idle(now.UnixMilli()) && time.Now().Before(end); b = readBooks(t, s) {
		<-time.After(100 * time.Millisecond)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balanced = true
	a.balanceIntake(t, b)
	a.balanceNotices(t, b)
	for _, fault := range b.state.Faults(now.UnixMilli()) {
		t.Errorf("ledger: %s", fault)
	}
	a.counts.packs, a.counts.facts = b.packs, b.state.Facts
	return b
}

// balanceIntake: each event acknowledged was taken in, once, and decided.
func (a *account) balanceIntake(t *testing.T, b *books) {
	t.Helper()
	for e := range a.taken {
		if n := b.intake[e]; n != 1 {
			t.Errorf("event %d of %s was acknowledged as stored, and taken in %d times", e.sequence, e.agency, n)
		}
	}
	for e, n := range b.intake {
		if n != 1 {
			t.Errorf("event %d of %s was taken in %d times", e.sequence, e.agency, n)
		}
	}
	for key, ev := range b.state.Events {
		l := b.state.Lineages[ev.GetLineage()]
		if !ev.Overtaken && (l == nil || l.Round == 0 || l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED) {
			t.Errorf("event %s was accepted, and not decided", key)
		}
		a.counts.repeated += ev.Repeated
	}
	for lineage, rounds := range b.byEvent {
		l := b.state.Lineages[lineage]
		if most := max(len(l.Events), len(l.Contributions)); rounds > most {
			t.Errorf("lineage %s of %d events was decided %d times because of one", lineage, most, rounds)
		}
	}
	a.counts.accepted, a.counts.refused, a.counts.quarantined = len(b.state.Events), int(b.state.Refused), b.quarantined
	if a.counts.refused != a.counts.quarantined {
		t.Errorf("%d events were refused, %d are in quarantine", a.counts.refused, a.counts.quarantined)
	}
}

// balanceNotices: each notice has an end or an owner, what counts as sent has arrived, nothing arrived that was not
// begun, and what arrived twice says so.
func (a *account) balanceNotices(t *testing.T, b *books) {
	t.Helper()
	copies, marked := map[string]map[string]int{}, map[string]map[string]int{}
	for _, sink := range a.sinks {
		for _, m := range sink() {
			if copies[m.notice] == nil {
				copies[m.notice], marked[m.notice] = map[string]int{}, map[string]int{}
			}
			copies[m.notice][m.message]++
			if m.marked {
				marked[m.notice][m.message]++
				a.counts.marked++
			}
		}
	}
	a.counts.notices, a.counts.arrived = len(b.state.Notices), len(copies)
	known := map[string]bool{}
	for id, n := range b.state.Notices {
		reference := notice.Reference(id)
		known[reference] = true
		switch {
		case n.Phase.Ended():
			a.counts.ended++
		case n.Phase == ledger.Awaiting, n.Phase == ledger.WithTask:
			a.counts.person++
		case n.Phase == ledger.Held, n.Phase == ledger.Stopped:
			a.counts.held++
		default:
			t.Errorf("notice %s is %s: it has neither an end nor an owner", reference, n.Phase)
		}
		if n.Sent() && len(copies[reference]) == 0 {
			t.Errorf("notice %s counts as sent, and reached nobody", reference)
		}
		all := 0
		for message, c := range copies[reference] {
			all += c
			if c == 1 {
				continue
			}
			a.counts.doubled++
			if m := marked[reference][message]; m < c-1 {
				t.Errorf("notice %s came %d times, %d of them marked as possible duplicates", reference, c, m)
			}
		}
		if all > len(n.Attempts) {
			t.Errorf("notice %s came %d times, and only %d sends were begun", reference, all, len(n.Attempts))
		}
	}
	for reference := range copies {
		if !known[reference] {
			t.Errorf("notice %s reached somebody, and the ledger has none of that name", reference)
		}
	}
}

// columns are the heads of row.
var columns = []string{
	"in", "unclear", "accepted", "repeated", "refused", "in quarantine", "notices", "ended", "with a person", "held",
	"arrived", "doubled", "marked", "facts",
}

func (a *account) row() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.counts
	numbers := []int{
		len(a.taken), a.unclear, c.accepted, c.repeated, c.refused, c.quarantined, c.notices, c.ended, c.person, c.held,
		c.arrived, c.doubled, c.marked, int(c.facts),
	}
	row := make([]string, len(numbers))
	for i, n := range numbers {
		row[i] = strconv.Itoa(n)
	}
	return row
}

// String is the counts in a line.
func (a *account) String() string {
	parts := make([]string, len(columns))
	for i, number := range a.row() {
		parts[i] = number + " " + columns[i]
	}
	return strings.Join(parts, ", ") + a.noted()
}

// books are a ledger as it was left, folded apart from any service.
type books struct {
	state       *ledger.State
	packs       int64
	intake      map[entry]int  // facts that settle a message: accepted, repeated or refused
	byEvent     map[string]int // decisions caused by an event, by lineage
	kinds       map[string]int // facts, by their name in the Fact oneof
	quarantined int
}

// readBooks reads patiently: what was broken may be mended only just.
func readBooks(t *testing.T, s *store.Store) *books {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		b, err := tryReadBooks(ctx, s)
		if err == nil {
			return b
		}
		if notice.KindOf(err) != notice.Unavailable || ctx.Err() != nil {
			t.Fatalf("ledger: %v", err)
		}
		<-time.After(100 * time.Millisecond) // before it is asked for again
	}
}

func tryReadBooks(ctx context.Context, s *store.Store) (*books, error) {
	year, err := s.LedgerYear(ctx, 0)
	if err != nil {
		return nil, err
	}
	b := &books{state: ledger.NewState(), intake: map[entry]int{}, byEvent: map[string]int{}, kinds: map[string]int{}}
	if _, _, err := engine.Fold(ctx, reading{log: s.Ledger(year), pack: b.count}, b.state); err != nil {
		return nil, err
	}
	agencies := map[notice.AgencyID]bool{}
	for e := range b.intake {
		agencies[e.agency] = true
	}
	for _, agency := range slices.Sorted(maps.Keys(agencies)) {
		list, err := s.Events().ListQuarantine(ctx, agency, 0, 1<<20)
		if err != nil {
			return nil, err
		}
		b.quarantined += len(list)
	}
	return b, nil
}

// reading shows each pack of a log on its way to whoever reads it.
type reading struct {
	log  *store.Log
	pack func([]byte) error
}

func (r reading) Read(ctx context.Context, from uint64, fn func(uint64, time.Time, []byte) error) (uint64, error) {
	return r.log.Read(ctx, from, func(seq uint64, at time.Time, pack []byte) error {
		if err := r.pack(pack); err != nil {
			return err
		}
		return fn(seq, at, pack)
	})
}

func (b *books) count(stored []byte) error {
	var pack ledgerv1.Pack
	if err := proto.Unmarshal(stored, &pack); err != nil {
		return err
	}
	b.packs++
	for _, f := range pack.Facts {
		b.kinds[kindOf(f)]++
		for _, source := range []*ledgerv1.Source{
			f.GetEventAccepted().GetSource(), f.GetEventRepeated().GetSource(), f.GetEventRefused().GetSource(),
		} {
			if source != nil {
				b.intake[entry{notice.AgencyID(source.Agency), source.Sequence}]++
			}
		}
		if d := f.GetDecided(); d.GetCause() == ledgerv1.Cause_CAUSE_EVENT {
			b.byEvent[d.Lineage]++
		}
	}
	return nil
}

// kindOf is the name of a fact's kind in the Fact oneof.
func kindOf(f *ledgerv1.Fact) string {
	m := f.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("fact"))
	if field == nil {
		return ""
	}
	return string(field.Name())
}

// leftBehind opens the store of a service that is no longer running, from its data folder.
func leftBehind(t *testing.T, data string) *store.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := store.StartServer(ctx, store.ServerConfig{StoreDir: filepath.Join(data, "nats")})
	check(t, err)
	t.Cleanup(server.Shutdown)
	conn, err := server.Connect()
	check(t, err)
	t.Cleanup(conn.Close)
	s, err := store.Open(conn, store.Settings{})
	check(t, err)
	return s
}

// besides opens the store of an external NATS beside whatever works on it.
func besides(t *testing.T, c app.NATSConfig) *store.Store {
	t.Helper()
	conn, err := store.Connect(t.Context(), store.External{URL: c.URL, SeedFile: c.Seed, RootsFile: c.Roots})
	check(t, err)
	t.Cleanup(conn.Close)
	s, err := store.Open(conn, store.Settings{})
	check(t, err)
	return s
}
