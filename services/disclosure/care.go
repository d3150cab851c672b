package disclosure

import eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"

// careTexts adds the disclosable free texts of placements, plans and medicals. Whom to call to arrange a medical is not among
// them: it has to hold a telephone number.
func careTexts(ev *eventv1.Event, add func(path string, value *string)) {
	if p := ev.GetProtectionPlanStarted(); p != nil {
		add("protection_plan_started.category", &p.Category)
		add("protection_plan_started.plan", &p.Plan)
	}
	if p := ev.GetProtectionPlanEnded(); p != nil {
		add("protection_plan_ended.next_step", &p.NextStep)
	}
	if p := ev.GetMedicalRequested(); p != nil {
		add("medical_requested.question", &p.Question)
	}
	if p := ev.GetMedicalConcluded(); p != nil {
		add("medical_concluded.next_step", &p.NextStep)
		add("medical_concluded.findings", &p.Findings)
	}
}
