package intake

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

// protectionHours is how long police protection may last (Children Act 1989 s.46(6)): hours that pass, whatever the
// clocks do meanwhile.
const protectionHours = 72 * time.Hour

// endsBy may lie ahead: it is held against when the protection began.
const endsBy = "PoliceProtectionExercised.ends_by"

// checkPolice checks what the contract cannot say about the kinds that concern a child in the hands, or on the books, of
// police.
func checkPolice(ev *eventv1.Event, found *faults) {
	switch p := ev.GetPayload().(type) {
	case *eventv1.Event_VulnerablePersonNoticeRaised:
		notAfterReport(ev, p.VulnerablePersonNoticeRaised.GetSeenAt(), "vulnerable_person_notice_raised.seen_at", found)
	case *eventv1.Event_MissingReported:
		notAfterReport(ev, p.MissingReported.GetLastSeenAt(), "missing_reported.last_seen_at", found)
		if p.MissingReported.GetCarer() != nil {
			checkOrganisation(p.MissingReported.GetCarer(), named("missing_reported.carer"), found)
		}
	case *eventv1.Event_MissingFound:
		notAfterReport(ev, p.MissingFound.GetFoundAt(), "missing_found.found_at", found)
	case *eventv1.Event_ReturnInterviewCompleted:
		r := p.ReturnInterviewCompleted
		if before(r.GetCompletedAt(), r.GetReturnedAt()) {
			found.add("return_interview_completed.completed_at", "is before returned_at: correct one of the two")
		}
		if r.GetOfferedBy() != nil {
			checkOrganisation(r.GetOfferedBy(), named("return_interview_completed.offered_by"), found)
		}
	case *eventv1.Event_PoliceProtectionExercised:
		notAfterReport(ev, p.PoliceProtectionExercised.GetBeganAt(), "police_protection_exercised.began_at", found)
		checkProtection(p.PoliceProtectionExercised, found)
	case *eventv1.Event_PoliceProtectionEnded:
		if before(p.PoliceProtectionEnded.GetEndedAt(), p.PoliceProtectionEnded.GetBeganAt()) {
			found.add("police_protection_ended.ended_at", "is before began_at: correct one of the two")
		}
	case *eventv1.Event_CustodyDetained:
		notAfterReport(ev, p.CustodyDetained.GetDetainedAt(), "custody_detained.detained_at", found)
	case *eventv1.Event_CustodyReleased:
		if before(p.CustodyReleased.GetReleasedAt(), p.CustodyReleased.GetDetainedAt()) {
			found.add("custody_released.released_at", "is before detained_at: correct one of the two")
		}
		notAfterReport(ev, p.CustodyReleased.GetReleasedAt(), "custody_released.released_at", found)
	}
}

// notAfterReport finds a time that is later than the event's own, by more than clocks differ: what has yet to happen
// cannot have been reported.
func notAfterReport(ev *eventv1.Event, at *timestamppb.Timestamp, field string, found *faults) {
	if ev.GetTime().CheckValid() == nil && at.CheckValid() == nil && at.AsTime().After(ev.GetTime().AsTime().Add(clockSkew)) {
		found.add(field, "is after the event's own time, at which it was reported: correct one of the two")
	}
}

func checkProtection(p *eventv1.PoliceProtectionExercised, found *faults) {
	const field = "police_protection_exercised.ends_by"
	if p.GetBeganAt().CheckValid() != nil || p.GetEndsBy().CheckValid() != nil {
		return // said already
	}
	switch lasts := p.GetEndsBy().AsTime().Sub(p.GetBeganAt().AsTime()); {
	case lasts <= 0:
		found.add(field, "is not after began_at: correct one of the two")
	case lasts > protectionHours:
		found.add(field, "is more than 72 hours after began_at, and police protection lasts no longer: give an earlier time; where the clocks change meanwhile, check the offsets")
	}
}

func named(path string) *place { return &place{name: path, index: -1} }
