package query_test

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const manifestDay = "2026-11-19"

// manifest draws a part of a manifest, or what a comparison of it asks of people.
func (w *writer) manifest() {
	agency := w.one("agency", "police", "hub")
	if w.number("taken", 2) == 0 {
		f := &ledgerv1.ManifestTaken{
			Source: w.source(w.name("event")), Digest: []byte("digest"), Day: manifestDay, Part: 1, Parts: 1, FromMs: epoch,
			UntilMs: epoch + 24*60*minute, DueMs: w.now + minute, NextDay: "2026-11-20", NextUntilMs: epoch + 48*60*minute, NextDueMs: w.now + 60*minute,
		}
		f.Source.Agency = agency
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestTaken{ManifestTaken: f}})
		return
	}
	m := w.state.Manifest(notice.AgencyID(agency), manifestDay)
	if m == nil {
		return
	}
	f := &ledgerv1.ManifestCompared{Agency: agency, Day: manifestDay, References: 2}
	for _, src := range m.Taken {
		f.Sources = append(f.Sources, src)
	}
	for range w.number("differ", 2) {
		t := w.newTask("", "")
		t.Kind = ledgerv1.TaskKind_TASK_KIND_MANIFEST
		f.Tasks = append(f.Tasks, t)
		f.Differences = append(f.Differences, &ledgerv1.ManifestDifference{
			What: ledgerv1.Divergence_DIVERGENCE_NOT_LISTED, Lineage: w.lineage(), Task: t.Id, Taken: 1,
		})
	}
	f.SettledTasks = slices.DeleteFunc(w.state.ManifestTasks(m), func(id string) bool {
		return w.number("stands", 2) == 0 || w.state.Tasks[id].State == ledger.TaskSettled
	})
	w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestCompared{ManifestCompared: f}})
}
