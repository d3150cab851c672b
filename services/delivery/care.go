package delivery

import (
	"fmt"
	"slices"
	"strings"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// careKind is how notices about placements, plans, medicals and enrolments read.
type careKind struct{ title, heading string }

func careKinds() map[notice.EventKind]careKind {
	return map[notice.EventKind]careKind{
		notice.PlacementNotified:      {"A looked-after child is placed", "The placement"},
		notice.ResponsibilityAccepted: {"Responsibility for a child accepted", "The acceptance"},
		notice.ProtectionPlanStarted:  {"Child protection plan started", "The plan"},
		notice.ProtectionPlanEnded:    {"Child protection plan ended", "The plan"},
		notice.MedicalRequested:       {"Child protection medical requested", "The medical"},
		notice.MedicalConcluded:       {"Outcome of a child protection medical", "The medical"},
		notice.EnrolmentChanged:       {"A child joined or left a setting", "The change"},
	}
}

// care lays out what such an event says.
func (l layer) care(p *Part, ev *eventv1.Event) {
	rows := (*rowList)(&p.Rows)
	switch {
	case ev.GetPlacementNotified() != nil:
		m := ev.GetPlacementNotified()
		rows.add("Begins", stamp(m.GetBeginsAt()))
		rows.add("Planned or emergency", placementUrgency(m.GetUrgency()))
		rows.add("Where", placementKind(m.GetPlacement()))
		if m.GetUrgency() != 0 { // whoever may see how it came about may see this
			rows.add("Do the parents know where", parentsInformed(m.GetParentsInformed()))
		}
	case ev.GetResponsibilityAccepted() != nil:
		a := ev.GetResponsibilityAccepted()
		rows.add("Accepted", stamp(a.GetAcceptedAt()))
		rows.add("Accepted by", a.GetAcceptedBy())
		rows.add("Reference of what is accepted", a.GetAccepts().GetReference())
	case ev.GetProtectionPlanStarted() != nil:
		m := ev.GetProtectionPlanStarted()
		rows.add("Started", stamp(m.GetStartedAt()))
		rows.add("Category of harm", strings.ReplaceAll(m.GetCategory(), ",", ", "))
		rows.add("Core group first meets", stamp(m.GetCoreGroupMeetsAt()))
		p.text("Outline of the plan", m.GetPlan())
		p.list("Core group", l.participants(m.GetCoreGroup()))
	case ev.GetProtectionPlanEnded() != nil:
		m := ev.GetProtectionPlanEnded()
		rows.add("Ended", stamp(m.GetEndedAt()))
		rows.add("Why", planEnd(m.GetReason()))
		p.text("Next step", m.GetNextStep())
		p.list("Core group", l.participants(m.GetCoreGroup()))
	case ev.GetMedicalRequested() != nil:
		m := ev.GetMedicalRequested()
		rows.add("Requested", stamp(m.GetRequestedAt()))
		rows.add("To look into", medicalKind(m.GetKind()))
		rows.add("Needed by", stamp(m.GetNeededBy()))
		rows.add("Call to arrange it", m.GetCallBack())
		if m.GetCallBack() != "" { // of the same label
			rows.add("Consent", medicalConsent(m.GetConsent()))
		}
		p.text("What it is to answer", m.GetQuestion())
		p.list("Providers asked", l.participants(m.GetProviders()))
	case ev.GetMedicalConcluded() != nil:
		m := ev.GetMedicalConcluded()
		rows.add("Examined", stamp(m.GetExaminedAt()))
		rows.add("Outcome", medicalOutcome(m.GetOutcome()))
		p.text("Next step", m.GetNextStep())
		p.text("Findings in brief", m.GetFindings())
	case ev.GetEnrolmentChanged() != nil:
		l.enrolment(rows, ev.GetEnrolmentChanged())
	}
}

// enrolment names the settings to those who may know them: one that the child has left may not.
func (l layer) enrolment(rows *rowList, e *eventv1.EnrolmentChanged) {
	setting, other := l.organisation(e.GetSetting()), l.organisation(e.GetOther())
	switch e.GetChange() {
	case eventv1.EnrolmentChange_ENROLMENT_CHANGE_JOINED:
		rows.add("What changed", "the child joins a setting")
		rows.add("Joins", setting)
		rows.add("First day", LongDate(e.GetOn()))
		rows.add("Comes from", other)
	case eventv1.EnrolmentChange_ENROLMENT_CHANGE_LEFT:
		rows.add("What changed", "the child leaves a setting")
		rows.add("Leaves", setting)
		rows.add("Last day", LongDate(e.GetOn()))
		switch {
		case setting == "": // cut away, and so is where the child goes
		case e.GetToHomeEducation():
			rows.add("Goes to", "to be educated at home")
		case other != "":
			rows.add("Goes to", other)
		default:
			rows.add("Goes to", "not known")
		}
	case eventv1.EnrolmentChange_ENROLMENT_CHANGE_UNSPECIFIED: // cut away
		rows.add("On", LongDate(e.GetOn()))
	}
}

// unborn is what a notice says of a child who is not born.
func (l layer) unborn(rows *rowList, u *eventv1.Unborn) {
	if u == nil {
		return
	}
	rows.add("Unborn child, expected on", LongDate(u.GetExpectedOn()))
	rows.add("Mother", fullName(u.GetMother()))
	rows.add("Mother known as", u.GetMother().GetKnownAs())
	rows.add("Mother born on", LongDate(u.GetMotherBornOn()))
}

func placementUrgency(u eventv1.PlacementUrgency) string {
	switch u {
	case eventv1.PlacementUrgency_PLACEMENT_URGENCY_PLANNED:
		return "planned"
	case eventv1.PlacementUrgency_PLACEMENT_URGENCY_EMERGENCY:
		return "made in an emergency"
	case eventv1.PlacementUrgency_PLACEMENT_URGENCY_UNSPECIFIED:
	}
	return ""
}

func placementKind(k eventv1.PlacementKind) string {
	switch k {
	case eventv1.PlacementKind_PLACEMENT_KIND_FOSTER_CARE:
		return "with foster carers"
	case eventv1.PlacementKind_PLACEMENT_KIND_RELATIVES_OR_FRIENDS:
		return "with relatives or friends"
	case eventv1.PlacementKind_PLACEMENT_KIND_CHILDRENS_HOME:
		return "in a children's home"
	case eventv1.PlacementKind_PLACEMENT_KIND_RESIDENTIAL_SCHOOL:
		return "in a residential school"
	case eventv1.PlacementKind_PLACEMENT_KIND_SUPPORTED_ACCOMMODATION:
		return "in supported accommodation"
	case eventv1.PlacementKind_PLACEMENT_KIND_SECURE:
		return "in a secure place"
	case eventv1.PlacementKind_PLACEMENT_KIND_ADOPTIVE:
		return "with those who are to adopt the child"
	case eventv1.PlacementKind_PLACEMENT_KIND_OTHER:
		return "elsewhere"
	case eventv1.PlacementKind_PLACEMENT_KIND_UNSPECIFIED:
	}
	return ""
}

// parentsInformed reads as a no where the publisher did not say: who takes it that they know may tell them.
func parentsInformed(p eventv1.ParentsInformed) string {
	switch p {
	case eventv1.ParentsInformed_PARENTS_INFORMED_YES:
		return "yes"
	case eventv1.ParentsInformed_PARENTS_INFORMED_NO_RISK:
		return "no, and they must not: it would put the child at risk"
	case eventv1.ParentsInformed_PARENTS_INFORMED_NOT_YET:
		return "not yet: leave it to the placing authority to tell them"
	case eventv1.ParentsInformed_PARENTS_INFORMED_UNSPECIFIED:
	}
	return "not stated: take it that they do not"
}

func planEnd(r eventv1.PlanEnd) string {
	switch r {
	case eventv1.PlanEnd_PLAN_END_RISK_ENDED:
		return "the child is no longer judged to be at continuing risk of significant harm"
	case eventv1.PlanEnd_PLAN_END_TRANSFERRED:
		return "another authority took the plan over"
	case eventv1.PlanEnd_PLAN_END_LOOKED_AFTER:
		return "the child is looked after"
	case eventv1.PlanEnd_PLAN_END_ADULT:
		return "the young person has turned 18"
	case eventv1.PlanEnd_PLAN_END_LEFT_COUNTRY:
		return "the child has left the country for good"
	case eventv1.PlanEnd_PLAN_END_DIED:
		return "the child has died"
	case eventv1.PlanEnd_PLAN_END_UNSPECIFIED:
	}
	return ""
}

func medicalKind(k eventv1.MedicalKind) string {
	switch k {
	case eventv1.MedicalKind_MEDICAL_KIND_PHYSICAL:
		return "injuries"
	case eventv1.MedicalKind_MEDICAL_KIND_SEXUAL:
		return "sexual abuse"
	case eventv1.MedicalKind_MEDICAL_KIND_NEGLECT:
		return "neglect, growth and development"
	case eventv1.MedicalKind_MEDICAL_KIND_UNSPECIFIED:
	}
	return ""
}

func medicalConsent(c eventv1.MedicalConsent) string {
	switch c {
	case eventv1.MedicalConsent_MEDICAL_CONSENT_GIVEN:
		return "given"
	case eventv1.MedicalConsent_MEDICAL_CONSENT_NOT_YET:
		return "not given yet"
	case eventv1.MedicalConsent_MEDICAL_CONSENT_COURT_ORDER:
		return "ordered by a court"
	case eventv1.MedicalConsent_MEDICAL_CONSENT_UNSPECIFIED:
	}
	return "not stated: ask before the child is seen"
}

func medicalOutcome(o eventv1.MedicalOutcome) string {
	switch o {
	case eventv1.MedicalOutcome_MEDICAL_OUTCOME_CONSISTENT_WITH_HARM:
		return "the findings are consistent with harm"
	case eventv1.MedicalOutcome_MEDICAL_OUTCOME_INCONCLUSIVE:
		return "the findings neither show harm nor exclude it"
	case eventv1.MedicalOutcome_MEDICAL_OUTCOME_NO_FINDING:
		return "no finding that suggests harm"
	case eventv1.MedicalOutcome_MEDICAL_OUTCOME_NOT_HELD:
		return "the medical was not held"
	case eventv1.MedicalOutcome_MEDICAL_OUTCOME_UNSPECIFIED:
	}
	return ""
}

// careAdvice is what to do with a notice about a placement, a plan, a medical or an enrolment, and what not to do.
func careAdvice(kind notice.EventKind, function string) (do, doNot []string) {
	const (
		ownSystems = "Do not copy it into online, proxy-access or class systems, or anywhere that parents, carers, pupils or all staff can see."
		noForward  = "Do not forward it by email."
		record     = "Record it in the child's safeguarding file, apart from the main record."
		emergency  = "If you believe that the child is in danger now, call 999."
		noWhere    = "Do not tell the parents, or anybody else who asks, where the child is: refer them to the placing authority."
	)
	advice := map[notice.EventKind][2][]string{
		notice.PlacementNotified: {
			{
				"Note that the child is looked after, by which authority, and from when.",
				"Make ready what is yours: registration, health records, school place, checks of the address.",
				"If you know of a risk to the child in this placement, tell the placing authority at once. " + emergency,
				record,
			}, {noWhere, "Do not write to the child's former address.", ownSystems, noForward},
		},
		notice.ResponsibilityAccepted: {
			{
				"Note that the home area answers for the child from the time given, and who accepted for it.",
				"Hand over what you hold of the child, by the way agreed with that area.",
				"Go on protecting the child until the handover is done. " + emergency,
				record,
			}, {"Do not close your own record before the handover is done.", ownSystems, noForward},
		},
		notice.ProtectionPlanStarted: {
			{
				"Mark the child's record so that those who work with the child see that there is a plan.",
				"Tell the child's social worker at once of anything that worries you, and of any absence that is not explained. " + emergency,
				"If you are in the core group, do your part of the plan by its dates and come to the meetings.",
				record,
			}, {"Do not take the plan up with the family unless the plan says that you do.", ownSystems, noForward},
		},
		notice.ProtectionPlanEnded: {
			{
				"Take the mark of the plan off the child's record, and keep the history.",
				"Read what follows it, and go on with what is yours.",
				"If you are worried about the child, refer again: that there was a plan lowers no threshold and raises none. " + emergency,
				record,
			}, {"Do not take it that there is no risk any more.", ownSystems, noForward},
		},
		notice.MedicalRequested: {
			{
				"Acknowledge it, and call the number given to agree time and place.",
				"Make sure before the child is seen who has agreed to the examination.",
				"If you cannot see the child in time, say so at once and name who can. " + emergency,
			}, {
				"Do not arrange it with the family yourself unless social care has agreed.",
				"Do not question the child about what happened beyond what the examination needs.",
				noForward,
			},
		},
		notice.MedicalConcluded: {
			{
				"Read the outcome and decide what it changes for the child's safety today. " + emergency,
				"Ask the examining doctor for the full report; this is no report for a court.",
				record,
			}, {
				"Do not discuss the findings with the family unless social care and police have agreed.",
				ownSystems, noForward,
			},
		},
		notice.EnrolmentChanged: {
			{
				"Check it against your own register or roll, and have the roll put right where it differs: notices about the child go by the roll.",
				"Where the child leaves you: send the safeguarding file to the new setting, apart from the main file, once the authority has confirmed who asks for it.",
				"Where it is not known where the child is taught now, the authority starts enquiries for a child missing education.",
			}, {
				"Do not tell anybody who asks, a parent among them, where the child is taught now: refer them to the authority.",
				ownSystems, noForward,
			},
		},
	}[kind]
	do, doNot = advice[0], advice[1]
	if kind == notice.MedicalConcluded && function == "gp" {
		do = []string{"Note the outcome and the next step in the child's health record.", "Tell social care of anything in the record that bears on it. " + emergency}
	}
	if kind == notice.ProtectionPlanEnded || kind == notice.ProtectionPlanStarted {
		if function == "midwifery" {
			do = append([]string{"Find the mother in your records by the name given; ask the publisher, quoting the reference, where she is not certain."}, do...)
		}
	}
	return do, doNot
}

// howToAccept tells the home area how to end what a rule asks of it and of the area that published: it has to be in writing, and
// must not be taken for done by whoever acknowledges the notice.
func howToAccept(n *ledgerv1.Notice, events []*eventv1.Event, p *policy.Policy) []string {
	asks := slices.ContainsFunc(p.Rules(notice.EventKind(n.GetKind())), func(r *policy.Rule) bool {
		return r.GetId() == n.GetRule() && r.GetUntilAccepted() && r.View.Allows(eventv1.Label_LABEL_REFERENCE)
	})
	if !asks {
		return nil
	}
	for i, ev := range slices.Backward(events) {
		if n.GetRefs()[i] != "" {
			return []string{fmt.Sprintf("To accept responsibility for the child, have your system publish %s for agency %s, kind %s, reference %s. "+
				"To acknowledge this notice is not to accept.", notice.ResponsibilityAccepted, ev.GetSource(), ev.GetType(), line(ev.GetSubject()))}
		}
	}
	return nil
}
