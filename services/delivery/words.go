package delivery

import eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"

// The words for what an event holds as a number. A number that was cut away or not given has no words, except where
// its absence tells something.

func presenceText(p eventv1.Presence) string {
	switch p {
	case eventv1.Presence_PRESENCE_PRESENT:
		return "yes"
	case eventv1.Presence_PRESENCE_NOT_PRESENT:
		return "no"
	case eventv1.Presence_PRESENCE_UNSPECIFIED:
	}
	return "not stated"
}

func checkText(c eventv1.Check) string {
	switch c {
	case eventv1.Check_CHECK_DONE:
		return "done"
	case eventv1.Check_CHECK_NOT_DONE:
		return "not done"
	case eventv1.Check_CHECK_UNSPECIFIED:
	}
	return "not stated"
}

func riskGrade(g eventv1.RiskGrade) string {
	switch g {
	case eventv1.RiskGrade_RISK_GRADE_STANDARD:
		return "standard"
	case eventv1.RiskGrade_RISK_GRADE_MEDIUM:
		return "medium"
	case eventv1.RiskGrade_RISK_GRADE_HIGH:
		return "high"
	case eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED:
	}
	return ""
}

func personRole(r eventv1.PersonRole) string {
	switch r {
	case eventv1.PersonRole_PERSON_ROLE_VICTIM:
		return "Person harmed"
	case eventv1.PersonRole_PERSON_ROLE_SUSPECT:
		return "Person alleged to have caused harm"
	case eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER:
		return "Parent or carer"
	case eventv1.PersonRole_PERSON_ROLE_REFERRER:
		return "Referrer"
	case eventv1.PersonRole_PERSON_ROLE_OTHER:
		return "Other person"
	case eventv1.PersonRole_PERSON_ROLE_UNSPECIFIED:
	}
	return ""
}

func referralDecision(d eventv1.ReferralDecision) string {
	switch d {
	case eventv1.ReferralDecision_REFERRAL_DECISION_NO_FURTHER_ACTION:
		return "no further action"
	case eventv1.ReferralDecision_REFERRAL_DECISION_ADVICE:
		return "advice and information given"
	case eventv1.ReferralDecision_REFERRAL_DECISION_EARLY_HELP:
		return "early help"
	case eventv1.ReferralDecision_REFERRAL_DECISION_ASSESSMENT:
		return "assessment under section 17 of the Children Act 1989"
	case eventv1.ReferralDecision_REFERRAL_DECISION_STRATEGY_MEETING:
		return "a strategy meeting"
	case eventv1.ReferralDecision_REFERRAL_DECISION_UNSPECIFIED:
	}
	return ""
}

func meetingDecision(d eventv1.MeetingDecision) string {
	switch d {
	case eventv1.MeetingDecision_MEETING_DECISION_NO_FURTHER_ACTION:
		return "no further action"
	case eventv1.MeetingDecision_MEETING_DECISION_ASSESSMENT:
		return "assessment under section 17 of the Children Act 1989"
	case eventv1.MeetingDecision_MEETING_DECISION_SINGLE_AGENCY_ENQUIRY:
		return "child protection enquiry by the local authority alone (section 47)"
	case eventv1.MeetingDecision_MEETING_DECISION_JOINT_ENQUIRY:
		return "child protection enquiry by the local authority with police (section 47)"
	case eventv1.MeetingDecision_MEETING_DECISION_UNSPECIFIED:
	}
	return ""
}

func enquiryOutcome(o eventv1.EnquiryOutcome) string {
	switch o {
	case eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_NOT_SUBSTANTIATED:
		return "concerns not substantiated"
	case eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_SUBSTANTIATED_NO_CONTINUING_RISK:
		return "concerns substantiated; the child is not judged to be at continuing risk"
	case eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_SUBSTANTIATED_CONTINUING_RISK:
		return "concerns substantiated; the child is judged to be at continuing risk; a conference follows"
	case eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_UNSPECIFIED:
	}
	return ""
}

func conferenceOutcome(o eventv1.ConferenceOutcome) string {
	switch o {
	case eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_PLAN:
		return "child protection plan"
	case eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_CHILD_IN_NEED:
		return "no child protection plan; child in need"
	case eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_NO_PLAN:
		return "no child protection plan"
	case eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_UNSPECIFIED:
	}
	return ""
}
