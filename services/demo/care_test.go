package demo

// careOutcomes is what becomes of the events of placements, plans, medicals and enrolments.
func careOutcomes() map[string][]string {
	return map[string][]string{
		"41-placement.json": {
			"ashmere-council v1 ✓ delivered", "ashmere-health v1 ✓ acknowledged", "ashmere-school-nursing v1 ✓ delivered",
			"gias:900108 v1 ✓ acknowledged", "ods:X99001 v1 ✓ delivered", "task desk of ashmere-council: told_by_telephone", "task education_safeguarding of ashmere-council: told_by_telephone",
		},
		"42-responsibility-accepted.json": {"ashmere-council v1 ✓ acknowledged"},
		"43-plan-started.json": {
			"ashmere-council v1 ✓ acknowledged", // of the unborn child
			"ashmere-health v1 ✓ delivered", "ashmere-health v1 ✓ delivered",
			"ashmere-midwifery v1 ✓ acknowledged", "gias:900102 v1 ✓ acknowledged", "gias:900105 v1 ✓ delivered",
			"northbridge-police v1 ✓ delivered", "northbridge-police v1 ✓ delivered",
			"task desk of ashmere-council: told_by_telephone",
		},
		"44-plan-ended.json": {
			"ashmere-council v1 ✓ acknowledged", "ashmere-health v1 ✓ delivered", "northbridge-police v1 ✓ delivered",
		},
		"45-medical-requested.json": {"ashmere-health v1 ✓ acknowledged"},
		"46-medical-concluded.json": {
			"ashmere-council v1 ✓ acknowledged", "ashmere-school-nursing v1 ✓ delivered", "northbridge-police v1 ✓ acknowledged",
			"task desk of ashmere-health: told_by_telephone",
		},
		"47-enrolment-changed.json": {
			"ashmere-council v1 ✓ acknowledged", "gias:900108 v1 ✓ acknowledged", "gias:900110 v1 ✓ acknowledged",
			"task education_safeguarding of ashmere-council: told_by_telephone",
		},
	}
}
