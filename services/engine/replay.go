package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

const (
	// maxReplay is how many lineages one replay takes in: the owning goroutine decides about them in one go.
	maxReplay = 500
	// maxSpan is how long the span of one replay is.
	maxSpan = 31 * 24 * time.Hour
)

// PlanReplay says what a replay of what is chosen would do now. It records and sends nothing, and may be asked of an
// instance that does not lead.
func (e *Engine) PlanReplay(ctx context.Context, chosen *ledgerv1.Replayed) (*replayv1.Plan, error) {
	if err := e.warm(ctx, chosen); err != nil {
		return nil, err
	}
	var plan *replayv1.Plan
	var failed error
	if err := e.View(ctx, func(*ledger.State) { plan, failed = e.planReplay(ctx, chosen) }); err != nil {
		return nil, err
	}
	return plan, failed
}

// Replay carries out a plan that was seen: f.Digest stands for it. Where it would be another one now nothing is done, and
// that is a Conflict.
func (e *Engine) Replay(ctx context.Context, f *ledgerv1.Replayed) error {
	const op = "engine.Replay"
	if err := e.warm(ctx, f); err != nil {
		return err
	}
	return e.command(ctx, op, func() error {
		plan, err := e.planReplay(ctx, f)
		switch {
		case err != nil:
			return err
		case plan.Digest == "":
			return notice.Faultf(notice.Precondition, op, "a replay would change nothing")
		case plan.Digest != f.Digest:
			return notice.Faultf(notice.Conflict, op, "what a replay would do has changed since the plan was made: look at the new one")
		}
		done := proto.CloneOf(f)
		done.Lineages = nil
		for _, l := range plan.Lineages {
			if l.Changes {
				done.Lineages = append(done.Lineages, l.Lineage)
			}
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Replayed{Replayed: done}})
		for _, id := range done.Lineages {
			l := e.state.Lineages[id]
			if err := e.decide(l, ledgerv1.Cause_CAUSE_REPLAY); err != nil {
				e.postpone(ledger.Decide{Lineage: l}, err) // it is recorded that it is due
			}
		}
		return nil
	})
}

// warm reads the events that a replay is about, so that the owning goroutine need not wait for the store.
func (e *Engine) warm(ctx context.Context, chosen *ledgerv1.Replayed) error {
	var sources []*ledgerv1.Source
	var failed error
	if err := e.View(ctx, func(state *ledger.State) {
		var matters []matter
		matters, failed = chosenBy(state, chosen)
		for _, m := range matters {
			for _, head := range state.Heads(m.lineage) {
				sources = append(sources, head.Source)
			}
		}
	}); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	for _, src := range sources {
		if _, err := e.body(ctx, src); err != nil && notice.KindOf(err) != notice.NotFound {
			return notice.Fault(notice.Unavailable, "engine.PlanReplay", fmt.Errorf("an event cannot be read now: try again: %w", err))
		}
	}
	return nil
}

// matter is a lineage that a replay is about, and when the first of its events chosen was taken in.
type matter struct {
	lineage *ledger.Lineage
	atMS    int64
}

// chosenBy lists the lineages of what is chosen, in order of time.
func chosenBy(state *ledger.State, chosen *ledgerv1.Replayed) ([]matter, error) {
	const op = "engine.PlanReplay"
	if chosen.Event != "" {
		ev := state.Events[chosen.Event]
		if ev == nil || ev.Source.Agency != chosen.Agency {
			return nil, notice.Faultf(notice.NotFound, op, "the ledger has no such event: check the id, and the agency; one that was refused is in `signalbox quarantine list`")
		}
		return []matter{{state.Lineages[ev.Lineage], ev.AtMS}}, nil
	}
	if chosen.FromMs <= 0 || chosen.UntilMs <= chosen.FromMs || chosen.UntilMs-chosen.FromMs > maxSpan.Milliseconds() {
		return nil, notice.Faultf(notice.Invalid, op, "name one event, or a span of time of at most 31 days")
	}
	first := map[string]int64{}
	for _, ev := range state.Events {
		if ev.Source.Agency != chosen.Agency || ev.AtMS < chosen.FromMs || ev.AtMS >= chosen.UntilMs ||
			chosen.Kind != "" && ev.Kind != chosen.Kind {
			continue
		}
		if at, seen := first[ev.Lineage]; !seen || ev.AtMS < at {
			first[ev.Lineage] = ev.AtMS
		}
	}
	if len(first) > maxReplay {
		return nil, notice.Faultf(notice.Invalid, op, "this is about %d matters, and a replay takes at most %d: choose a shorter span, or one kind", len(first), maxReplay)
	}
	matters := make([]matter, 0, len(first))
	for id, at := range first {
		matters = append(matters, matter{state.Lineages[id], at})
	}
	slices.SortFunc(matters, func(a, b matter) int {
		return cmp.Or(cmp.Compare(a.atMS, b.atMS), cmp.Compare(a.lineage.ID, b.lineage.ID))
	})
	return matters, nil
}

// planReplay works a replay out. The owning goroutine runs it.
func (e *Engine) planReplay(ctx context.Context, chosen *ledgerv1.Replayed) (*replayv1.Plan, error) {
	matters, err := chosenBy(e.state, chosen)
	if err != nil {
		return nil, err
	}
	plan := &replayv1.Plan{}
	for _, m := range matters {
		why, err := e.notReplayed(ctx, m.lineage)
		if err != nil {
			return nil, err
		}
		if why != "" {
			plan.Skipped = append(plan.Skipped, &replayv1.Skipped{Lineage: m.lineage.ID, Reason: why})
			continue
		}
		decision, err := e.decision(ctx, m.lineage, ledgerv1.Cause_CAUSE_REPLAY, chosen.Forced)
		if err != nil {
			return nil, err
		}
		if !e.fits(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: decision}}) {
			plan.Skipped = append(plan.Skipped, &replayv1.Skipped{Lineage: m.lineage.ID, Reason: "too many children and recipients for one decision: have the event published in parts"})
			continue
		}
		planned := e.planned(m.lineage, decision)
		planned.AtMs = m.atMS
		if body, err := e.body(ctx, decision.Sources[0]); err == nil {
			planned.Reference = body.Subject
		}
		plan.Lineages = append(plan.Lineages, planned)
	}
	plan.Digest = digestOf(plan)
	return plan, nil
}

// notReplayed says why a lineage is left out, or nothing.
func (e *Engine) notReplayed(ctx context.Context, l *ledger.Lineage) (string, error) {
	heads := e.state.Heads(l)
	switch {
	case l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED:
		return "a decision about it is due already, and comes by itself: look again shortly", nil
	case len(heads) == 0 && e.allWithdrawn(l):
		return "it was withdrawn: nobody is told of it any more", nil
	case len(heads) == 0:
		return "a correction took its place: replay that one", nil
	}
	for _, head := range heads {
		_, err := e.body(ctx, head.Source)
		switch {
		case notice.KindOf(err) == notice.NotFound && err != nil:
			return "an event of it was erased: nobody can be told of it any more", nil
		case err != nil:
			return "", err
		}
	}
	return "", nil
}

// allWithdrawn says whether every event of a lineage was taken back.
func (e *Engine) allWithdrawn(l *ledger.Lineage) bool {
	return !slices.ContainsFunc(l.Events, func(key string) bool { return !e.state.Events[key].Withdrawn })
}

// replayRound is what a replay knows of a lineage: besides what every round knows, who was told what, and what has ended.
func (e *Engine) replayRound(l *ledger.Lineage, forced bool) routing.Round {
	r := e.round(l, ledgerv1.Cause_CAUSE_REPLAY)
	for _, id := range l.Past {
		n := e.state.Notices[id]
		if n.Withdrawn {
			continue
		}
		r.Prior = append(r.Prior, routing.Prior{
			ID: n.Id, Obligation: n.Obligation, Version: n.Version, ContentDigest: n.ContentDigest, Sent: true, Past: true,
			MeetsMS: n.Invitation.GetMeetsMs(), Contact: n.With(),
		})
	}
	for i := range r.Prior {
		p := &r.Prior[i]
		n := e.state.Notices[p.ID]
		p.Ended, p.Again = n.Told(), n.Told() && forced
		p.Function = n.Function
		p.Reports = routing.ReportsOf(n.Sources, n.Refs)
	}
	r.Contributed = e.contributed(l)
	return r
}

// contributed is what a lineage gives to notices before term.
func (e *Engine) contributed(l *ledger.Lineage) []*ledgerv1.Contribution {
	var given []*ledgerv1.Contribution
	for _, id := range l.Contributes {
		given = append(given, e.state.Lineages[id].Contributions[l.ID].Contribution)
	}
	return given
}

// asItStands is the decision that changes nothing.
func (e *Engine) asItStands(l *ledger.Lineage, cause ledgerv1.Cause) *ledgerv1.Decision {
	snapshot, current := e.Current()
	return &ledgerv1.Decision{
		Lineage: l.ID, Round: l.Round + 1, Cause: cause, Sources: l.Sources, Policy: current.Digest(), Directory: snapshot.Generation(),
		Children: l.Children, Kept: l.Standing, Contributions: e.contributed(l),
		Accepted: l.Accepted, Lacks: e.lacking(l), Ended: l.Ended, Parties: l.Parties,
	}
}

// lacking is what the events of a lineage's last decision leave out.
func (e *Engine) lacking(l *ledger.Lineage) []*ledgerv1.Lack {
	var lacks []*ledgerv1.Lack
	for _, src := range l.Sources {
		if ev := e.state.Events[src.Event]; ev != nil {
			lacks = append(lacks, ev.Lacks...)
		}
	}
	return lacks
}

// digestOf stands for what a plan does, and not for when: the due times of what is told at once move with the clock. How
// a notice that is left alone has ended is no matter either.
func digestOf(plan *replayv1.Plan) string {
	sum := sha256.New()
	changes := false
	for _, l := range plan.Lineages {
		if !l.Changes {
			continue
		}
		changes = true
		fmt.Fprintf(sum, "lineage %q\n", l.Lineage)
		for _, item := range l.Items {
			what := item.What
			if what == replayv1.What_WHAT_LEFT {
				what = replayv1.What_WHAT_KEPT
			}
			fmt.Fprintf(sum, "%s %q %q %q %q %q\n", what, item.Id, item.Organisation, item.Function, item.Child, item.Rule)
		}
	}
	if !changes {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
