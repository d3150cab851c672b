package rpc

import (
	"context"
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

type intakeService struct {
	intakev1.UnimplementedIntakeServiceServer
	Deps
	live     bool
	feedback *Feedback

	stopping  <-chan struct{}
	receivers *sync.WaitGroup
}

// Publish takes one event in. It is durable when the call returns.
func (s *intakeService) Publish(ctx context.Context, req *intakev1.PublishRequest) (*intakev1.PublishResponse, error) {
	c := callerOf(ctx)
	if faults := s.faults(c, req.GetEvent()); len(faults) > 0 {
		return nil, notice.InvalidFields("rpc.Publish", faults)
	}
	sequence, err := s.store(ctx, c, req.GetEvent())
	if err != nil {
		return nil, err
	}
	return &intakev1.PublishResponse{Sequence: sequence}, nil
}

func (s *intakeService) faults(c caller, ev *eventv1.Event) []notice.FieldFault {
	snapshot, _ := s.Current()
	return s.Intake.Validate(ev, intake.Check{
		Agency: notice.AgencyID(c.Name), Kinds: c.agency.GetKinds(), Now: s.Clock.Now(), AreaKnown: knows(snapshot), Live: s.live,
	})
}

func knows(snapshot *directory.Snapshot) func(notice.Area) bool {
	return func(a notice.Area) bool {
		_, ok := snapshot.Area(a)
		return ok
	}
}

// store makes a good event durable in its agency's stream.
func (s *intakeService) store(ctx context.Context, c caller, ev *eventv1.Event) (uint64, error) {
	if err := s.admit(); err != nil {
		return 0, err
	}
	header, data, err := intake.Encode(ev, intake.Protobuf)
	if err != nil {
		return 0, err
	}
	return s.Events.Publish(ctx, notice.AgencyID(c.Name), notice.EventKind(ev.GetType()).Family(), store.Header(header), data, intake.MessageID(ev, data))
}

// Feedback returns what became of the agency's events since a cursor.
func (s *intakeService) Feedback(ctx context.Context, req *intakev1.FeedbackRequest) (*intakev1.FeedbackResponse, error) {
	return s.feedback.Changes(ctx, notice.AgencyID(callerOf(ctx).Name), req.GetAfter(), int(req.GetLimit()))
}

const (
	quarantinePage = 256
	maxQuarantine  = 10000 // of the newest refusals are listed
)

// Quarantine lists refused events, oldest first.
func (s *intakeService) Quarantine(ctx context.Context, req *intakev1.QuarantineRequest) (*intakev1.QuarantineResponse, error) {
	const op = "rpc.Quarantine"
	c := callerOf(ctx)
	agency := notice.AgencyID(req.GetAgency())
	if c.Kind == identity.Agency {
		if agency != "" && string(agency) != c.Name {
			return nil, notice.Faultf(notice.Denied, op, "an agency sees its own refused events: leave agency empty")
		}
		agency = notice.AgencyID(c.Name)
	} else if agency != "" {
		if _, err := notice.ParseAgencyID(string(agency)); err != nil {
			return nil, notice.InvalidFields(op, []notice.FieldFault{{Field: "agency", Message: err.Error()}})
		}
	}

	response := &intakev1.QuarantineResponse{}
	for from := uint64(1); ; {
		page, err := s.Events.ListQuarantine(ctx, agency, from, quarantinePage)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			response.Quarantined = append(response.Quarantined, &intakev1.Quarantined{
				Sequence: r.Seq, Agency: string(r.Agency), At: timestamppb.New(r.At),
				Faults: wireFaults(store.FaultsOf(r.Event.Header)), Size: int64(len(r.Event.Data)),
			})
			from = r.Seq + 1
		}
		if more := len(response.Quarantined) - maxQuarantine; more > 0 {
			response.Quarantined = response.Quarantined[more:]
		}
		if len(page) < quarantinePage {
			return response, nil
		}
	}
}
