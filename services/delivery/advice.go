package delivery

import "github.com/signalbox-hq/signalbox/services/notice"

// What more than one kind of notice advises.
const (
	ownSystems   = "Do not copy it into online, proxy-access or class systems, or anywhere that parents, carers, pupils or all staff can see."
	noForward    = "Do not forward it by email."
	ownersOnly   = "Share it only with people who need it to protect the child."
	emergency    = "If you believe that the child is in danger now, call 999."
	noParents    = "Do not contact the parents or carers about it."
	noReferrer   = "Do not try to find out who made the referral."
	recordItSafe = "Record it in the child's safeguarding file, apart from the main record."
)

// ListDoNot is what not to do with the list of children missing, in police protection or in custody.
func ListDoNot() []string { return []string{noParents, ownSystems, noForward} }

// advice is what to do with a notice and what not to do, by the kind of event, the function told and whether the
// recipient may see what was decided: a member of the public who referred hears only that the referral was dealt with.
func advice(kind notice.EventKind, function string, seesDecision bool) (do, doNot []string) {
	if function == designatedOfficer {
		return positionAdvice()
	}
	switch kind {
	case notice.EncompassIncident:
		if function == "setting" {
			return []string{
					"Have it read by the safeguarding lead before the child next attends.",
					"Tell only the staff who will support the child, and only what they need to know.",
					"Support the child quietly: a calm start, a trusted adult, allowance for tiredness or lateness.",
					recordItSafe,
					"If you are worried about the child, follow your safeguarding procedure. " + emergency,
				}, []string{
					noParents,
					"Do not ask the child about the incident. If the child speaks of it, listen and record what is said.",
					ownSystems,
					noForward,
				}
		}
		return []string{
			"Have it read by the officer responsible for this child's education or safeguarding.",
			"Decide whether the child needs support, and make sure that somebody gives it.",
			recordItSafe,
			emergency,
		}, []string{noParents, ownSystems, noForward}
	case notice.ReferralReceived:
		return []string{"Keep the reference. You will hear when a decision has been made.", emergency},
			[]string{noForward}
	case notice.ReferralDecided:
		if !seesDecision {
			return []string{"There is nothing more for you to do. Thank you for telling us.", emergency}, []string{noForward}
		}
		return []string{
			"Keep the reference.",
			"If you do not agree with the decision, say so to the local authority, quoting the reference.",
			emergency,
		}, []string{"Do not share the decision with the family unless the local authority has agreed.", noForward}
	case notice.StrategyMeetingConvened:
		return []string{
			"Say whether you come, before the time given: come yourself, or send somebody who can decide for your organisation.",
			"If nobody can come, say so at once: your deputy or duty desk is asked, and the local authority knows in time.",
			"Bring what your organisation knows of the child and the household.",
		}, []string{"Do not tell the family that a meeting is called unless the local authority has agreed.", noReferrer, noForward}
	case notice.StrategyMeetingConcluded:
		if function == "referrer" {
			return []string{"Decide what the outcome changes in your work with the child.", recordItSafe, emergency},
				[]string{"Do not tell the family what was decided unless the local authority has agreed.", ownSystems, noForward}
		}
		return []string{
			"Do the actions that are yours, by their dates.",
			"Tell the local authority at once if you cannot.",
			recordItSafe,
		}, []string{"Do not tell the family what was said.", ownSystems, noReferrer, noForward}
	case notice.EnquiryConcluded:
		return []string{
			"Read the outcome and decide what it changes in your work with the child.",
			recordItSafe,
			"If you do not agree with the outcome, say so to the local authority, quoting the reference.",
		}, []string{ownSystems, noReferrer, noForward}
	case notice.ConferenceConcluded:
		return []string{
			"Read the decisions and do the actions that are yours, by their dates.",
			recordItSafe,
			"Tell the local authority at once if you cannot do your part.",
		}, []string{ownSystems, noReferrer, noForward}
	case notice.VulnerablePersonNoticeRaised:
		return vulnerablePersonAdvice()
	case notice.MissingReported:
		return missingAdvice(function)
	case notice.MissingFound:
		return foundAdvice(function)
	case notice.ReturnInterviewCompleted:
		return returnInterviewAdvice()
	case notice.PoliceProtectionExercised:
		return protectionAdvice()
	case notice.PoliceProtectionEnded:
		return protectionEndedAdvice()
	case notice.CustodyDetained:
		return custodyAdvice(function)
	case notice.CustodyReleased:
		return releasedAdvice(function)
	case notice.PlacementNotified, notice.ResponsibilityAccepted, notice.ProtectionPlanStarted, notice.ProtectionPlanEnded,
		notice.MedicalRequested, notice.MedicalConcluded, notice.EnrolmentChanged:
		return careAdvice(kind, function)
	case notice.EventWithdrawn, notice.Manifest, notice.DeletionRequest: // nobody is told of the first two; composeRequest advises on the other
		return nil, nil
	default:
		return []string{"Read it and act on it under your safeguarding procedure.", recordItSafe, emergency},
			[]string{noParents, ownersOnly, ownSystems, noForward}
	}
}
