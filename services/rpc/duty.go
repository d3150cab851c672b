package rpc

import (
	"context"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// dutyDays is how many days an answer covers where the caller does not say.
const dutyDays = 7

// Duty says who is on duty in an organisation, span by span: whom a notice would be sent to then.
func (s *directoryService) Duty(_ context.Context, req *directoryv1.DutyRequest) (*directoryv1.DutyResponse, error) {
	const op = "rpc.Duty"
	snapshot, current := s.Current()
	org := notice.OrgID(req.GetOrganisation())
	_, isOrganisation := snapshot.Organisation(org)
	if _, isSetting := snapshot.Setting(org); !isOrganisation && !isSetting {
		return nil, notice.Faultf(notice.NotFound, op, "the directory has no such organisation or setting")
	}
	first := directory.DateOf(s.Clock.Now())
	if req.GetFrom() != "" {
		var err error
		if first, err = directory.ParseDate(req.GetFrom()); err != nil {
			return nil, notice.InvalidFields(op, []notice.FieldFault{{Field: "from", Message: err.Error()}})
		}
	}
	roles := snapshot.Roles(org)
	if role := req.GetRole(); role != "" {
		if !slices.Contains(roles, role) {
			return nil, notice.Faultf(notice.NotFound, op, "the organisation has neither a contact nor a rota of this role")
		}
		roles = []string{role}
	}
	days := int(req.GetDays())
	if days == 0 {
		days = dutyDays
	}
	response := &directoryv1.DutyResponse{}
	for _, role := range roles {
		for _, w := range delivery.Watches(snapshot, org, role, current.UseInHoliday(role), first.At("00:00"), first.AddDays(days).At("00:00")) {
			response.Spans = append(response.Spans, dutySpan(role, w))
		}
	}
	return response, nil
}

func dutySpan(role string, w delivery.Watch) *directoryv1.DutySpan {
	span := &directoryv1.DutySpan{
		Role: role, FromMs: w.From.UnixMilli(), UntilMs: w.Until.UnixMilli(), Contact: w.Contact.GetId(), Name: w.Contact.GetName(),
		Channel: w.Contact.GetChannel(), Why: w.Why, InsteadOf: w.InsteadOf, Gap: w.Gap, Holiday: w.Holiday,
	}
	for _, p := range w.Passed {
		span.Passed = append(span.Passed, &directoryv1.DutyPassed{Contact: p.Contact, Reason: p.Reason})
	}
	return span
}
