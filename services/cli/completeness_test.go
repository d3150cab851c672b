package cli

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// sampleComparison has a difference of every kind.
func sampleComparison() *ledgerv1.ManifestCompared {
	f := &ledgerv1.ManifestCompared{
		Agency: "northbridge-police", Day: "2026-10-24", References: 12, Further: 3, Tasks: []*ledgerv1.Task{{Id: "t8"}}, SettledTasks: []string{"t7"},
	}
	for number := range len(ledgerv1.Divergence_name) - 1 {
		f.Differences = append(f.Differences, &ledgerv1.ManifestDifference{What: ledgerv1.Divergence(number + 1), Task: "t8"})
	}
	return f
}

// sampleManifest is what a publisher hears of it.
func sampleManifest(when *timestamppb.Timestamp) *intakev1.ManifestStatus {
	m := &intakev1.ManifestStatus{Cursor: 3, Day: "2026-11-03", References: 12, Further: 3, At: when}
	for _, d := range sampleComparison().GetDifferences() {
		m.Differences = append(m.Differences, &intakev1.ManifestDifference{
			What: d.GetWhat(), Kind: "encompass.incident", Subject: "NP/260119/26", Part: 2, Listed: 3, Taken: 2,
		})
	}
	return m
}
