package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/query"
)

// Timeline returns every fact about an event, a lineage, a notice or a task, oldest first. While the read model is not to
// be had it reads the whole ledger instead, which takes longer and says the same.
func (s *ledgerService) Timeline(ctx context.Context, req *ledgerv1.TimelineRequest) (*ledgerv1.TimelineResponse, error) {
	const op = "rpc.Timeline"
	about := s.subject(req)
	facts, err := s.Query.Timeline(ctx, about)
	if err != nil && notice.KindOf(err) == notice.Unavailable && ctx.Err() == nil {
		facts, err = s.scan(ctx, about)
	}
	if err != nil {
		return nil, err
	}
	if len(facts) == 0 {
		return nil, notice.Faultf(notice.NotFound, op, "the ledger has nothing about it: check the id, and the agency of an event")
	}
	return &ledgerv1.TimelineResponse{Facts: facts}, nil
}

func (s *ledgerService) subject(req *ledgerv1.TimelineRequest) query.Subject {
	switch of := req.GetOf().(type) {
	case *ledgerv1.TimelineRequest_Event:
		return query.Subject{Kind: query.Event, ID: s.Engine.EventKey(notice.AgencyID(of.Event.GetAgency()), of.Event.GetId())}
	case *ledgerv1.TimelineRequest_Lineage:
		return query.Subject{Kind: query.Lineage, ID: of.Lineage}
	case *ledgerv1.TimelineRequest_Notice:
		return query.Subject{Kind: query.Notice, ID: of.Notice}
	case *ledgerv1.TimelineRequest_Task:
		return query.Subject{Kind: query.Task, ID: of.Task}
	default: // the request was validated
		return query.Subject{}
	}
}

// scan reads the whole ledger for what concerns a subject.
func (s *ledgerService) scan(ctx context.Context, about query.Subject) ([]*ledgerv1.Fact, error) {
	roots := []query.Subject{about}
	if err := s.Engine.View(ctx, func(state *ledger.State) { roots = append(roots, rootsOf(state, about)...) }); err != nil {
		return nil, err
	}
	story := query.NewStory(roots...)
	var facts []*ledgerv1.Fact
	_, err := s.Log.Read(ctx, 1, func(seq uint64, _ time.Time, stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return notice.Faultf(notice.Internal, "rpc.Timeline", "pack %d cannot be read", seq)
		}
		for _, f := range pack.GetFacts() {
			concerns, err := story.Concerns(f)
			if err != nil {
				return err
			}
			if concerns {
				facts = append(facts, f)
			}
		}
		return nil
	})
	return facts, err
}

// rootsOf is what a timeline begins with besides its subject: of an event its lineage, of a lineage its events; of a
// notice before term, those of the incidents that it lists.
func rootsOf(state *ledger.State, about query.Subject) []query.Subject {
	var roots []query.Subject
	lineage := about.ID
	switch about.Kind {
	case query.Notice, query.Task:
		return nil
	case query.Event:
		e := state.Events[about.ID]
		if e == nil {
			return nil
		}
		lineage = e.Lineage
		roots = append(roots, query.Subject{Kind: query.Lineage, ID: lineage})
	case query.Lineage:
	}
	l := state.Lineages[lineage]
	if l == nil {
		return roots
	}
	for _, key := range l.Events {
		roots = append(roots, query.Subject{Kind: query.Event, ID: key})
	}
	for _, c := range l.Contributions {
		for _, src := range c.Sources {
			roots = append(roots, query.Subject{Kind: query.Event, ID: src.GetEvent()})
		}
	}
	return roots
}
