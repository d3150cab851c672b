package demo

// gapOutcomes is what becomes of a thin event, its correction and the one after.
func gapOutcomes() map[string][]string {
	corrected := []string{
		"gias:900101 v1 ✓ acknowledged,", "gias:900101 v2 ✓ acknowledged", "gias:900102 v1 ✓ acknowledged", "gias:900103 v1 ✓ acknowledged",
	}
	return map[string][]string{
		"51-thin.json":          corrected,
		"52-manifest.json":      {},
		"53-sibling-added.json": corrected,
		"54-third-time.json":    {"gias:900101 v1 ✓ acknowledged"},
	}
}

// sayings are what the story says of each thing that is no notice of an event.
func sayings() map[string]string {
	return map[string]string{
		"the police's deputy comes":          "Northbridge Police police accepted, DS M. Tarn after a refusal",
		"whoever plans meetings comes":       "The Harbour Trust voluntary accepted, F. Ilesanmi after a refusal",
		"the health trust's deputy":          "health deputy N. Okafor",
		"a subscription is granted":          "The operator grants it on a lawful basis",
		"an outcome is read from the inbox":  "ICPC-0107, conference.concluded: plan",
		"so is one of the kinds of care":     "MED-0012, medical.concluded: inconclusive",
		"out of hours":                       "Ashmere Council the child lives in this Fri 26 Jun email ✓ acknowledged Emergency Duty Team",
		"whoever has the shift at night":     "Ashmere Council the child was found in this Sat 27 Jun email ✓ acknowledged L. Amadi",
		"what an event leaves out":           "checks.welfare say whether an officer has seen the child",
		"a manifest finds a missing sibling": "NP/1301/26 was sent with 2 children, and 1 was taken in.",
		"its task settles":                   "Compared, the day 2026-06-30: 1 listed, and nothing differs. ☑ no task about it is open",
		"a priority is raised by repeats":    "incidents within 90 days; before the child's next",
		"a manifest does not come":           "The day 2026-07-01: no manifest came. ☑ no task about it is open",
	}
}
