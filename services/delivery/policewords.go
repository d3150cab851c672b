package delivery

import eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"

func concernText(c eventv1.Concern) string {
	switch c {
	case eventv1.Concern_CONCERN_NEGLECT:
		return "neglect"
	case eventv1.Concern_CONCERN_PHYSICAL:
		return "physical harm"
	case eventv1.Concern_CONCERN_SEXUAL:
		return "sexual harm"
	case eventv1.Concern_CONCERN_EMOTIONAL:
		return "emotional harm"
	case eventv1.Concern_CONCERN_EXPLOITATION:
		return "criminal or sexual exploitation"
	case eventv1.Concern_CONCERN_DOMESTIC_ABUSE:
		return "domestic abuse at home"
	case eventv1.Concern_CONCERN_MENTAL_HEALTH:
		return "the child's mental health or self-harm"
	case eventv1.Concern_CONCERN_OTHER:
		return "other: see the circumstances"
	case eventv1.Concern_CONCERN_UNSPECIFIED:
	}
	return ""
}

func foundText(h eventv1.FoundHow) string {
	switch h {
	case eventv1.FoundHow_FOUND_HOW_RETURNED:
		return "came back without help"
	case eventv1.FoundHow_FOUND_HOW_BY_POLICE:
		return "found by police"
	case eventv1.FoundHow_FOUND_HOW_BY_FAMILY_OR_CARER:
		return "found by family, a carer or a friend"
	case eventv1.FoundHow_FOUND_HOW_BY_OTHERS:
		return "found by a professional or a member of the public"
	case eventv1.FoundHow_FOUND_HOW_UNSPECIFIED:
	}
	return "not stated"
}

func safetyText(s eventv1.Safety) string {
	switch s {
	case eventv1.Safety_SAFETY_SAFE:
		return "yes"
	case eventv1.Safety_SAFETY_HARMED:
		return "no: harmed, unwell or harm suspected"
	case eventv1.Safety_SAFETY_UNSPECIFIED:
	}
	return "not stated"
}

func interviewText(o eventv1.InterviewOutcome) string {
	switch o {
	case eventv1.InterviewOutcome_INTERVIEW_OUTCOME_HELD:
		return "held"
	case eventv1.InterviewOutcome_INTERVIEW_OUTCOME_DECLINED:
		return "offered, and declined by the child"
	case eventv1.InterviewOutcome_INTERVIEW_OUTCOME_UNSPECIFIED:
	}
	return ""
}

func protectionEndText(e eventv1.ProtectionEnd) string {
	switch e {
	case eventv1.ProtectionEnd_PROTECTION_END_RETURNED:
		return "the child went home, to parents or to whoever has responsibility"
	case eventv1.ProtectionEnd_PROTECTION_END_ACCOMMODATED:
		return "the local authority accommodates the child"
	case eventv1.ProtectionEnd_PROTECTION_END_EMERGENCY_PROTECTION_ORDER:
		return "a court made an emergency protection order"
	case eventv1.ProtectionEnd_PROTECTION_END_OTHER_ORDER:
		return "a court made another order"
	case eventv1.ProtectionEnd_PROTECTION_END_EXPIRED:
		return "the time ran out"
	case eventv1.ProtectionEnd_PROTECTION_END_UNSPECIFIED:
	}
	return ""
}

func appropriateAdultText(a eventv1.AppropriateAdult) string {
	switch a {
	case eventv1.AppropriateAdult_APPROPRIATE_ADULT_PRESENT:
		return "is with the child"
	case eventv1.AppropriateAdult_APPROPRIATE_ADULT_CALLED:
		return "called, and on the way"
	case eventv1.AppropriateAdult_APPROPRIATE_ADULT_NOT_FOUND:
		return "nobody found yet"
	case eventv1.AppropriateAdult_APPROPRIATE_ADULT_UNSPECIFIED:
	}
	return "not stated"
}

func custodyOutcomeText(o eventv1.CustodyOutcome) string {
	switch o {
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_NO_FURTHER_ACTION:
		return "released, and nothing further is to be done"
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_UNDER_INVESTIGATION:
		return "released under investigation"
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_BAILED:
		return "released on bail, not charged"
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_CHARGED_AND_BAILED:
		return "charged, and released on bail to come before a court"
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_CHARGED_AND_KEPT_FOR_COURT:
		return "charged, kept until a court sat, and handed over there"
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_LOCAL_AUTHORITY_ACCOMMODATION:
		return "charged, refused bail and moved to local authority accommodation"
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_OTHER:
		return "in another way: see the circumstances"
	case eventv1.CustodyOutcome_CUSTODY_OUTCOME_UNSPECIFIED:
	}
	return ""
}
