package rpc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Completeness counts what publishers left out of their events.
func (s *ledgerService) Completeness(ctx context.Context, req *ledgerv1.CompletenessRequest) (*ledgerv1.CompletenessResponse, error) {
	const op = "rpc.Completeness"
	snapshot, current := s.Current()
	agency := notice.AgencyID(req.GetAgency())
	if _, known := snapshot.Agency(agency); agency != "" && !known {
		return nil, notice.Faultf(notice.NotFound, op, "there is no such agency: `signalbox directory show` lists them")
	}
	if req.GetUntilMs() > 0 && req.GetUntilMs() <= req.GetFromMs() {
		return nil, notice.InvalidFields(op, []notice.FieldFault{{Field: "until_ms", Message: "is not after from_ms: give a later time"}})
	}
	response := &ledgerv1.CompletenessResponse{}
	var counted []ledger.Counted
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		counted = state.Completeness(agency, req.GetFromMs(), req.GetUntilMs())
	}); err != nil {
		return nil, err
	}
	for _, c := range counted {
		count := &ledgerv1.CompletenessCount{Agency: string(c.Agency), Kind: string(c.Kind), Events: c.Events, Thin: c.Thin}
		for _, id := range slices.Sorted(maps.Keys(c.Lacks)) {
			lack := &ledgerv1.LackCount{Need: id, Missing: c.Lacks[id].Missing, Given: c.Lacks[id].Given}
			if need, ok := current.Need(id); ok {
				lack.Fields = need.GetFields()
			}
			count.Lacks = append(count.Lacks, lack)
		}
		response.Counts = append(response.Counts, count)
	}
	return response, nil
}

// reader reads the events of one agency for one answer, each once. One that was erased is empty.
type reader struct {
	engine Viewer
	agency notice.AgencyID
	read   map[uint64]*eventv1.Event // by sequence
}

func (r reader) event(ctx context.Context, sequence uint64) (*eventv1.Event, error) {
	if body, known := r.read[sequence]; known {
		return body, nil
	}
	body, err := r.engine.Body(ctx, &ledgerv1.Source{Agency: string(r.agency), Sequence: sequence})
	if err != nil && notice.KindOf(err) != notice.NotFound {
		return nil, err
	}
	r.read[sequence] = body
	return body, nil
}

// completeness says what an event leaves out, in the words of the policy now in force.
func (f *Feedback) completeness(ctx context.Context, c ledger.Change, events reader) (*intakev1.Change, error) {
	body, err := events.event(ctx, c.Sequence)
	if err != nil {
		return nil, err
	}
	told := &intakev1.Completeness{Cursor: c.Cursor, EventId: body.GetId(), Sequence: c.Sequence, At: timestamppb.New(time.UnixMilli(c.AtMS))}
	_, current := f.current()
	for _, lack := range c.Lacks {
		missing := &intakev1.Missing{Need: lack.GetNeed(), ChildRef: lack.GetRef(), Message: "give it"}
		if need, ok := current.Need(lack.GetNeed()); ok {
			missing.Message = need.GetRemedy()
		}
		place := "children"
		if i := slices.IndexFunc(body.GetChildren(), func(child *eventv1.Child) bool { return child.GetRef() == lack.GetRef() }); i >= 0 {
			place = fmt.Sprintf("children[%d]", i)
		}
		for _, field := range lack.GetFields() {
			if rest, ofChild := strings.CutPrefix(field, "children."); ofChild {
				field = place + "." + rest
			}
			missing.Fields = append(missing.Fields, field)
		}
		told.Missing = append(told.Missing, missing)
	}
	return &intakev1.Change{Change: &intakev1.Change_Completeness{Completeness: told}}, nil
}

// manifest says how a manifest compares, by the publisher's own references.
func (f *Feedback) manifest(ctx context.Context, c ledger.Change, events reader) (*intakev1.Change, error) {
	told := &intakev1.ManifestStatus{
		Cursor: c.Cursor, Day: c.Manifest.GetDay(), References: c.Manifest.GetReferences(), Further: c.Manifest.GetFurther(),
		At: timestamppb.New(time.UnixMilli(c.AtMS)),
	}
	for _, d := range c.Manifest.GetDifferences() {
		kind, subject, err := referenceOf(ctx, d, events)
		if err != nil {
			return nil, err
		}
		told.Differences = append(told.Differences, &intakev1.ManifestDifference{
			What: d.GetWhat(), Kind: kind, Subject: subject, Part: d.GetPart(), Listed: d.GetListed(), Taken: d.GetTaken(),
		})
	}
	return &intakev1.Change{Change: &intakev1.Change_Manifest{Manifest: told}}, nil
}

// referenceOf reads which reference a difference is about from the event that names it.
func referenceOf(ctx context.Context, d *ledgerv1.ManifestDifference, events reader) (kind, subject string, err error) {
	if d.GetSource() == nil {
		return "", "", nil
	}
	body, err := events.event(ctx, d.GetSource().GetSequence())
	if err != nil || d.GetWhat() == ledgerv1.Divergence_DIVERGENCE_NOT_LISTED {
		return body.GetType(), body.GetSubject(), err
	}
	if entries := body.GetManifest().GetEntries(); int(d.GetEntry()) < len(entries) {
		return entries[d.GetEntry()].GetKind(), entries[d.GetEntry()].GetSubject(), nil
	}
	return "", "", nil
}
