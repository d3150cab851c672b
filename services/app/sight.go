package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// Names of the lanes. What nobody graded is high.
const (
	laneUrgent  = "urgent"
	laneHigh    = "high"
	laneRoutine = "routine"
)

func laneNames() []string { return []string{laneUrgent, laneHigh, laneRoutine} }

func laneName(l ledgerv1.Lane) string {
	switch l {
	case ledgerv1.Lane_LANE_URGENT:
		return laneUrgent
	case ledgerv1.Lane_LANE_ROUTINE:
		return laneRoutine
	case ledgerv1.Lane_LANE_HIGH, ledgerv1.Lane_LANE_UNSPECIFIED:
		return laneHigh
	default:
		return laneHigh
	}
}

// account is what the ledger says at a moment, as the guards and the metrics need it. It keeps nothing of the State.
type account struct {
	at        time.Time
	counts    map[ledger.Phase]int64
	lanes     map[ledgerv1.Lane]ledger.Oldest
	undecided ledger.Oldest
	cursors   map[notice.AgencyID]uint64
	failing   []ledger.Failing
	stranded  []alarm.Aged
	stops     []alarm.Aged
	refusedBy map[string]int64 // by the organisation that was asked to see to it, within the hour
	openTasks int64
	lateTasks int64
	facts     int64
	accepted  int64
	refused   int64
	newestMS  int64
	confirmed int64

	completeness completeness
}

// takeAccount reads the state. It runs on the goroutine that owns it: nothing here may take long.
func takeAccount(s *ledger.State, agencies []notice.AgencyID, instance string, now time.Time) account {
	nowMS := now.UnixMilli()
	a := account{
		at: now, counts: s.Counts(), lanes: s.Undispatched(nowMS), undecided: s.Undecided(), cursors: map[notice.AgencyID]uint64{},
		refusedBy: map[string]int64{}, facts: s.Facts, accepted: int64(len(s.Events)), refused: s.Refused, newestMS: s.NewestMS,
		confirmed: s.Confirmed[instance], completeness: completenessOf(s),
	}
	for _, agency := range agencies {
		a.cursors[agency] = s.Cursor(agency)
	}
	for _, f := range s.FailingContacts() {
		a.failing = append(a.failing, *f)
	}
	for _, t := range s.Stranded(nowMS) {
		a.stranded = append(a.stranded, alarm.Aged{ID: t.Id, For: since(t.DueMS, now)})
	}
	for _, t := range s.Tasks {
		if t.Ended() {
			continue
		}
		a.openTasks++
		if t.DueMS <= nowMS {
			a.lateTasks++
		}
		if t.Kind == ledgerv1.TaskKind_TASK_KIND_QUARANTINED && since(t.OpenedMS, now) < time.Hour {
			a.refusedBy[t.GetOrganisation()]++
		}
	}
	for _, p := range s.Stops() {
		id := strings.ToLower(strings.TrimPrefix(p.GetScope().String(), "SCOPE_") + " " + p.GetTarget())
		a.stops = append(a.stops, alarm.Aged{ID: strings.TrimSpace(id), For: since(p.GetSinceMs(), now)})
	}
	return a
}

func since(ms int64, now time.Time) time.Duration { return max(0, now.Sub(time.UnixMilli(ms))) }

// publishing are the agencies, each of which may publish.
func publishing(snapshot *directory.Snapshot) []notice.AgencyID {
	rows := snapshot.Agencies()
	agencies := make([]notice.AgencyID, len(rows))
	for i, a := range rows {
		agencies[i] = notice.AgencyID(a.GetId())
	}
	return agencies
}

// observe puts what the ledger says into the words of the alarms.
func (a account) observe(o *alarm.Observations, snapshot *directory.Snapshot, key notice.Key) {
	for _, lane := range laneNames() {
		l := alarm.Lane{Name: lane}
		for graded, oldest := range a.lanes {
			if laneName(graded) != lane {
				continue
			}
			age := since(oldest.SinceMS, a.at)
			if age >= l.For {
				l.Aged = alarm.Aged{ID: oldest.ID, For: age}
			}
			l.Count += oldest.Count
		}
		o.Lanes = append(o.Lanes, l)
	}
	if a.undecided.Count > 0 {
		o.Undecided = alarm.Oldest{Aged: alarm.Aged{ID: a.undecided.ID, For: since(a.undecided.SinceMS, a.at)}, Count: a.undecided.Count}
	}
	for _, f := range a.failing {
		if row, ok := snapshot.Row(directory.KindContact, f.Contact); ok && delivery.Failing(&f, row.GetContact(), key) {
			o.Failing = append(o.Failing, alarm.Aged{ID: f.Contact, For: since(f.SinceMS, a.at)})
		}
	}
	for _, organisation := range slices.Sorted(maps.Keys(a.refusedBy)) {
		o.Refused = append(o.Refused, alarm.Refused{Agency: organisation, Recent: a.refusedBy[organisation]})
	}
	o.Stranded, o.Stops, o.HeldBack = a.stranded, a.stops, a.counts[ledger.Stopped]
}

// streamsAtOnce is how many agencies' streams are asked about at once: there may be hundreds, and a look is short.
const streamsAtOnce = 16

// lookAtStreams looks at what each agency published. One that does not answer keeps no other from being looked at.
func (g *guard) lookAtStreams(ctx context.Context, s *sight, agencies []notice.AgencyID) error {
	snapshot, _ := g.service.holder.Current()
	seen, faults := make([]*alarm.Publisher, len(agencies)), make([]error, len(agencies))
	var group errgroup.Group
	group.SetLimit(streamsAtOnce)
	for i, agency := range agencies {
		group.Go(func() error {
			shelf, err := g.service.store.Events().Shelf(ctx, agency)
			if err != nil {
				faults[i] = err
				return nil
			}
			p, err := g.publisher(ctx, agency, shelf, s.account.cursors[agency], snapshot.WorkingDays())
			seen[i], faults[i] = &p, errors.Join(err, g.admit(ctx, agency, shelf))
			return nil
		})
	}
	err := group.Wait()
	for _, p := range seen {
		if p != nil {
			s.observed.Publishers = append(s.observed.Publishers, *p)
		}
	}
	return errors.Join(err, errors.Join(faults...))
}

// publisher looks at an agency's stream against what the ledger has taken of it.
func (g *guard) publisher(ctx context.Context, agency notice.AgencyID, shelf store.Shelf, taken uint64, days directory.WorkingDays) (alarm.Publisher, error) {
	p := alarm.Publisher{Agency: string(agency), Full: shelf.Full()}
	if shelf.Last > taken {
		p.Behind = int64(shelf.Last - taken)
		oldest := shelf.LastAt
		m, err := g.service.store.Events().Get(ctx, agency, taken+1)
		switch {
		case err == nil:
			oldest = m.Received
		case notice.KindOf(err) != notice.NotFound: // that one was erased: one behind it waits
			return p, err
		}
		p.NotRead = max(0, shelf.Now.Sub(oldest))
	}
	if shelf.Last == 0 {
		return p, nil // it never published: nothing is missed
	}
	p.Silent = max(0, shelf.Now.Sub(shelf.LastAt))
	if g.config.Alarms.Agencies[string(agency)].OfficeHours {
		now := g.service.clock.Now()
		p.Silent = officeTime(now.Add(-p.Silent), now, days)
	}
	return p, nil
}
