package app

import (
	"context"
	"encoding/json"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

const (
	// hintBatch is how many changes are read at once for an agency that has news.
	hintBatch = 500
	// hintPause is how long news gathers after a hint: the changes of a busy moment are read together.
	hintPause = 20 * time.Millisecond
)

func (s *Service) openRPC(context.Context) error {
	certificate, err := s.renewing()
	if err != nil {
		return err
	}
	tls, err := certificate.ServerTLS(s.ca.Pool())
	if err != nil {
		return err
	}
	s.rpc, err = rpc.New(rpc.Deps{
		Engine: s.office, Events: s.store.Events(), Log: s.ledger, Directory: s.store.Directory(),
		Vault: s.store.Vault(), Access: s, Archive: s, Guard: s.guard, Query: s.query, Intake: s.intake, Current: s.holder.Current, Clock: s.clock,
		Logger: s.log.Named("grpc"),
	}, rpc.Config{Listen: s.config.GRPC.Listen, TLS: tls, Key: s.key, Live: s.config.Traffic == "live"})
	if err != nil {
		return err
	}
	s.feedback = rpc.NewFeedback(s.office, s.store.Events(), s.holder.Current)
	return nil
}

// serveFeedback answers agencies' questions over NATS, and hints to them when there is something new.
func (s *Service) serveFeedback(ctx context.Context) error {
	told := map[notice.AgencyID]uint64{}
	answering := make(chan error, 1)
	go func() {
		answering <- s.store.ServeFeedback(ctx, nil, func(agency notice.AgencyID, request []byte) []byte {
			return s.answer(ctx, agency, request)
		})
	}()
	for {
		select {
		case err := <-answering:
			return err
		case <-ctx.Done():
			return <-answering
		case agency := <-s.office.news:
			for agency := range s.gather(agency) {
				told[agency] = s.hint(ctx, agency, told[agency])
			}
			select {
			case <-ctx.Done():
			case <-time.After(hintPause):
			}
		}
	}
}

// gather is who has news by now.
func (s *Service) gather(first notice.AgencyID) map[notice.AgencyID]bool {
	all := map[notice.AgencyID]bool{first: true}
	for {
		select {
		case agency := <-s.office.news:
			all[agency] = true
		default:
			return all
		}
	}
}

// hint publishes what is new for an agency since a cursor, and returns the new cursor. An agency that is not listening
// asks later.
func (s *Service) hint(ctx context.Context, agency notice.AgencyID, after uint64) uint64 {
	for {
		changes, err := s.feedback.Changes(ctx, agency, after, hintBatch)
		if err != nil {
			s.log.Warn("feedback cannot be read", zap.String("agency", string(agency)), zap.Error(err))
			return after
		}
		if len(changes.Changes) == 0 || !s.publishHints(agency, changes.Changes) {
			return after
		}
		after = changes.Cursor
	}
}

// publishHints says whether all of them are on their way.
func (s *Service) publishHints(agency notice.AgencyID, changes []*intakev1.Change) bool {
	for _, change := range changes {
		kind, message := store.Status, proto.Message(change.GetStatus())
		switch c := change.GetChange().(type) {
		case *intakev1.Change_Rejected:
			kind, message = store.Rejected, c.Rejected
		case *intakev1.Change_Completeness:
			kind, message = store.Completeness, c.Completeness
		case *intakev1.Change_Manifest:
			kind, message = store.Manifest, c.Manifest
		}
		text, err := protojson.Marshal(message)
		if err == nil {
			err = s.store.PublishFeedback(agency, kind, text)
		}
		if err != nil {
			s.log.Warn("feedback cannot be sent", zap.String("agency", string(agency)), zap.Error(err))
			return false
		}
	}
	return true
}

// answer returns everything since the cursor that an agency asks for, as JSON. A request that is empty asks for all.
func (s *Service) answer(ctx context.Context, agency notice.AgencyID, request []byte) []byte {
	var asked intakev1.FeedbackRequest
	if len(request) > 0 {
		if err := protojson.Unmarshal(request, &asked); err != nil {
			return failure("the request must be JSON such as {\"after\": 0, \"limit\": 1000}")
		}
	}
	changes, err := s.feedback.Changes(ctx, agency, asked.After, int(asked.Limit))
	if err != nil {
		return failure("feedback cannot be read now: ask again")
	}
	text, err := protojson.Marshal(changes)
	if err != nil {
		return failure("feedback cannot be written")
	}
	return text
}

func failure(message string) []byte {
	text, _ := json.Marshal(map[string]string{"error": message}) // a map of strings always marshals
	return text
}
