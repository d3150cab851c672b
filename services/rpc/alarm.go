package rpc

import (
	"context"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Guard watches over the service.
type Guard interface {
	// Alarms are what is raised, as an instance sees it that may lead.
	Alarms() (raised []alarm.Alarm, instance string, leads bool, err error)
	// Admit is Unavailable while there is no room for a new event.
	Admit() error
}

// retryAfter is when a publisher that was refused for want of room should try again.
const retryAfter = time.Minute

// admit says whether a new event may be stored; a refusal says when to try again.
func (d Deps) admit() error {
	err := d.Guard.Admit()
	if err == nil {
		return nil
	}
	st := status.New(codes.Unavailable, text(err))
	if detailed, detailErr := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)}); detailErr == nil {
		st = detailed
	}
	return st.Err()
}

type alarmService struct {
	alarmv1.UnimplementedAlarmServiceServer
	Deps
}

// List lists what is raised.
func (s *alarmService) List(context.Context, *alarmv1.ListRequest) (*alarmv1.ListResponse, error) {
	raised, instance, leads, err := s.Guard.Alarms()
	if err != nil {
		return nil, err
	}
	response := &alarmv1.ListResponse{Instance: instance, Leads: leads}
	for _, a := range raised {
		response.Alarms = append(response.Alarms, &alarmv1.Alarm{
			Code: string(a.Code), Severity: severity(a.Severity), SinceMs: a.Since.UnixMilli(), Text: a.Text, Meaning: a.Meaning,
			Runbook: a.Code.Runbook(), Subjects: a.Subjects, Count: a.Count,
		})
	}
	return response, nil
}

func severity(s alarm.Severity) alarmv1.Severity {
	switch s {
	case alarm.Warning:
		return alarmv1.Severity_SEVERITY_WARNING
	case alarm.Critical:
		return alarmv1.Severity_SEVERITY_CRITICAL
	default:
		return alarmv1.Severity_SEVERITY_UNSPECIFIED
	}
}

// ConfirmClock has the instance that leads trust its clock as it stands.
func (s *alarmService) ConfirmClock(ctx context.Context, req *alarmv1.ConfirmClockRequest) (*alarmv1.ConfirmClockResponse, error) {
	statement, err := s.Vault.Keep(ctx, req.GetReason())
	if err != nil {
		return nil, err
	}
	fact := &ledgerv1.ClockConfirmed{By: callerOf(ctx).by(), Statement: statement}
	if err := s.Engine.ConfirmClock(ctx, fact); err != nil {
		return nil, notice.Fault(notice.KindOf(err), "rpc.ConfirmClock", err)
	}
	return &alarmv1.ConfirmClockResponse{}, nil
}
