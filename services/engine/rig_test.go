package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The invented borough of Ashmere.
const (
	area    = "E09000901"
	police  = "ashmere-police"
	council = "ashmere-council"
	health  = "ashmere-health"
	school  = "gias:900101"
	other   = "gias:900102"

	lease = 2 * time.Minute
)

// patience is how long a test waits for what must come.
const patience = 90 * time.Second

func contact(id, organisation, role, use string) *directoryv1.Row {
	return directory.ContactRow(&directoryv1.Contact{
		Id: id, Organisation: organisation, Role: role, Use: use, Channel: delivery.Email, Address: id + "@ashmere.example",
		VerifiedOn: "2026-01-05",
	})
}

func borough() []*directoryv1.Row {
	org := func(id, kind, in string) *directoryv1.Row {
		return directory.OrganisationRow(&directoryv1.Organisation{Id: id, Name: id, Kind: kind, Area: in})
	}
	at := func(id string) *directoryv1.Row {
		return directory.SettingRow(&directoryv1.Setting{Id: id, Name: id, Kind: "school", Area: area, Status: "open"})
	}
	return []*directoryv1.Row{
		directory.AreaRow(&directoryv1.Area{Gss: area, Name: "Ashmere", Kind: "local_authority", PoliceArea: "E23000901", Nation: "england"}),
		org(council, "local_authority", area), org(police, "police", "E23000901"), org(health, "health", area), at(school), at(other),
		directory.AgencyRow(&directoryv1.Agency{Id: police, Organisation: police}),
		directory.BankHolidaysRow(&directoryv1.BankHolidays{Division: directory.EnglandAndWales, Dates: []string{"2026-12-25", "2026-12-28", "2027-01-01"}}),
		directory.CalendarRow(&directoryv1.Calendar{Id: area, Terms: []*directoryv1.Term{
			{Opens: "2026-11-02", Closes: "2026-12-18"}, {Opens: "2027-01-05", Closes: "2027-02-12"},
		}}),
		contact("dsl", school, "dsl", "regular"), contact("deputy", school, "deputy_dsl", "regular"),
		contact("holiday-dsl", school, "dsl", "holiday"),
		contact("other-dsl", other, "dsl", "regular"), contact("other-holiday", other, "dsl", "holiday"),
		contact("team", council, "education_safeguarding", "regular"), contact("council-duty", council, "duty", "regular"),
		contact("police-desk", police, "desk", "regular"), contact("health-duty", health, "duty", "regular"),
		pupil("ada", "Ada", school), pupil("ben", "Ben", school),
	}
}

func pupil(id, given, setting string) *directoryv1.Row {
	return directory.ChildRow(&directoryv1.Child{
		Id: id, Given: given, Family: "Larch", DateOfBirth: "2016-05-02", ResidenceArea: area,
		Enrolments: []*directoryv1.Enrolment{{Setting: setting, Kind: "registered", AsOf: "2026-09-01"}},
	})
}

// replace puts rows in the place of those with the same key.
func replace(rows []*directoryv1.Row, with ...*directoryv1.Row) []*directoryv1.Row {
	out := slices.Clone(rows)
	for _, r := range with {
		kind, id := directory.KeyOf(r)
		out = slices.DeleteFunc(out, func(o *directoryv1.Row) bool {
			k, i := directory.KeyOf(o)
			return k == kind && i == id
		})
		out = append(out, r)
	}
	return out
}

// rig is an engine's world: a clock moved by hand, a log, events, a directory and a post office.
type rig struct {
	t       testing.TB
	clock   *clock.Movable
	log     engine.Log
	events  *shelf
	post    *post
	key     notice.Key
	current atomic.Pointer[directory.Snapshot]
	rules   *policy.Policy
	limits  engine.Limits
	maxPack int

	election engine.Election   // of the next engine; nil leads at once
	guard    engine.ClockGuard // of the next engine; nil trusts its clock
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// newRig is the evening before a school day.
func newRig(t testing.TB, change ...*directoryv1.Row) *rig {
	t.Helper()
	clk := clock.NewMovable(at(t, "2026-11-19T23:05:00Z"))
	r := &rig{
		t: t, clock: clk, log: store.NewMemLog(clk.Now), events: newShelf(), post: &post{}, key: notice.Key{1},
		limits: engine.Limits{Slots: 8},
	}
	r.direct(change...)
	var err error
	if r.rules, err = policy.Load(policy.Default()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) direct(change ...*directoryv1.Row) {
	r.t.Helper()
	s, err := directory.Build(1, replace(borough(), change...))
	if err != nil {
		r.t.Fatal(err)
	}
	r.current.Store(s)
}

// running is an engine at work.
type running struct {
	*engine.Engine
	rig  *rig
	stop context.CancelFunc
	done chan error
}

func (r *rig) engine() *engine.Engine {
	r.t.Helper()
	e, err := engine.New(engine.Deps{
		Log: r.log, Events: r.events, Senders: map[string]engine.Sender{delivery.Email: r.post}, Clock: r.clock, Logger: zap.NewNop(),
		Election: r.election, Guard: r.guard,
		Current: func() (*directory.Snapshot, *policy.Policy) { return r.current.Load(), r.rules },
		Links: func(id string, attempt uint32) string {
			return fmt.Sprintf("https://page.example/n/%s.%d", id, attempt)
		},
	}, engine.Config{
		Instance: "a", Key: r.key, MailDomain: "signalbox.example", Lease: lease,
		Limits:  map[string]engine.Limits{delivery.Email: r.limits},
		MaxPack: r.maxPack,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func (r *rig) run() *running {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	e := &running{Engine: r.engine(), rig: r, stop: stop, done: make(chan error, 1)}
	go func() { e.done <- e.Run(ctx) }()
	select {
	case <-e.Started():
	case err := <-e.done:
		r.t.Fatalf("the engine did not start: %v", err)
	}
	r.t.Cleanup(func() {
		stop()
		select {
		case err := <-e.done:
			r.t.Logf("the engine ended with: %v", err)
		case <-time.After(patience):
			r.t.Error("the engine did not stop")
		}
	})
	return e
}

// end waits for Run to return, and leaves its result for the clean-up.
func (e *running) end() error {
	e.rig.t.Helper()
	select {
	case err := <-e.done:
		e.done <- err
		return err
	case <-time.After(patience):
		e.rig.t.Fatal("Run did not return")
		return nil
	}
}

// crash ends an engine as kill -9 would: nothing that it does from now on reaches the log.
func (e *running) crash(log *gate) {
	e.rig.t.Helper()
	log.cut(notice.Faultf(notice.Internal, "test", "the process is dead"))
	e.rig.post.letGo(delivery.Result{Outcome: delivery.Unknown})
	e.stop()
	_ = e.end()
	log.mend()
}

func (r *rig) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.t.Cleanup(cancel)
	return ctx
}

func (e *running) await(what string, holds func(*ledger.State) bool) {
	e.rig.t.Helper()
	if err := e.Await(e.rig.context(), holds); err != nil {
		e.rig.t.Fatalf("%s never came: %v", what, err)
	}
}

// settle waits until all that was published is taken in and nothing more happens without time or a person.
func (e *running) settle() {
	e.rig.t.Helper()
	e.await("quiet", func(s *ledger.State) bool {
		return s.Cursor(police) >= e.rig.events.last() && s.Idle(e.rig.clock.Now().UnixMilli())
	})
}

func (e *running) see(fn func(*ledger.State)) {
	e.rig.t.Helper()
	if err := e.View(e.rig.context(), fn); err != nil {
		e.rig.t.Fatal(err)
	}
}

// notices says how each notice stands, a line each, as `organisation version: phase`.
func (e *running) notices() string {
	e.rig.t.Helper()
	var lines []string
	e.see(func(s *ledger.State) {
		for _, n := range s.Notices {
			lines = append(lines, fmt.Sprintf("%s v%d: %s", n.Organisation, n.Version, n.Phase))
		}
		if faults := s.Faults(e.rig.clock.Now().UnixMilli()); len(faults) > 0 {
			e.rig.t.Errorf("faults: %v", faults)
		}
	})
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// only is the id of the one notice that holds.
func (e *running) only(holds func(*ledger.Notice) bool) string {
	e.rig.t.Helper()
	var ids []string
	e.see(func(s *ledger.State) {
		for id, n := range s.Notices {
			if holds(n) {
				ids = append(ids, id)
			}
		}
	})
	if len(ids) != 1 {
		e.rig.t.Fatalf("%d notices", len(ids))
	}
	return ids[0]
}

func whichever(*ledger.Notice) bool { return true }

// facts reads the log back.
func (r *rig) facts() []*ledgerv1.Fact {
	r.t.Helper()
	var facts []*ledgerv1.Fact
	if _, err := r.log.Read(r.context(), 1, func(_ uint64, _ time.Time, stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		facts = append(facts, pack.Facts...)
		return nil
	}); err != nil {
		r.t.Fatal(err)
	}
	return facts
}

func (r *rig) count(is func(*ledgerv1.Fact) bool) int {
	r.t.Helper()
	n := 0
	for _, f := range r.facts() {
		if is(f) {
			n++
		}
	}
	return n
}

func isDecision(f *ledgerv1.Fact) bool { return f.GetDecided() != nil }

func child(ref, given string) *eventv1.Child {
	return &eventv1.Child{Ref: ref, Name: &eventv1.Name{Given: given, Family: "Larch"}, DateOfBirth: "2016-05-02", ResidenceArea: area}
}

// incident is a police report of the moment about Ada.
func (r *rig) incident(id, subject string, change ...func(*eventv1.Event)) *eventv1.Event {
	ev := &eventv1.Event{
		Id: id, Source: police, Type: string(notice.EncompassIncident), Subject: subject, Time: timestamppb.New(r.clock.Now()), Area: area,
		Children: []*eventv1.Child{child("c1", "Ada")}, Risk: eventv1.RiskGrade_RISK_GRADE_HIGH,
		Narrative: &eventv1.Narrative{Disclosable: "Officers were called to an argument between two adults."},
		Payload:   &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{OccurredAt: timestamppb.New(r.clock.Now())}},
	}
	for _, f := range change {
		f(ev)
	}
	return ev
}
