package app

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// completeness is what publishers left out of their events, and what differs from their manifests.
type completeness struct {
	of        map[notice.AgencyID]ledger.Tally
	differing map[notice.AgencyID]int64
}

// completenessOf keeps nothing of the State.
func completenessOf(s *ledger.State) completeness {
	c := completeness{of: map[notice.AgencyID]ledger.Tally{}, differing: s.Differing()}
	for agency, t := range s.Totals {
		c.of[agency] = ledger.Tally{Events: t.Events, Thin: t.Thin, Lacks: maps.Clone(t.Lacks)}
	}
	return c
}

// collect gives the figures. A need is a code of the policy, and says nothing of anybody.
func (c completeness) collect(put putter) {
	events := gauge("events_assessed_total", "Events of which it was worked out what they leave out.", "agency")
	thin := gauge("events_thin_total", "Of these, events that left out what a useful notice needs.", "agency")
	lacks := gauge("events_lacking_total", "Of these, by what they left out.", "agency", "need")
	given := gauge("events_lacking_given_total", "Of these, events of which a correction has given it since.", "agency", "need")
	for agency, t := range c.of {
		put(prometheus.CounterValue, events, float64(t.Events), string(agency))
		put(prometheus.CounterValue, thin, float64(t.Thin), string(agency))
		for need, l := range t.Lacks {
			put(prometheus.CounterValue, lacks, float64(l.Missing), string(agency), need)
			put(prometheus.CounterValue, given, float64(l.Given), string(agency), need)
		}
	}
	differing := gauge("manifest_differences", "References that differ between an agency's manifests and what was taken in, by the last comparisons.", "agency")
	for agency, n := range c.differing {
		put(prometheus.GaugeValue, differing, float64(n), string(agency))
	}
}
