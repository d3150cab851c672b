package rpc

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The views of a task's events. The publisher and operators see what was published. The local authority's duty officer is
// to find out who a child is and where it is taught, which takes identifiers, address and what the officer's form says;
// whoever else has a task sees which matter it is, and of whom.
const publishedView = "published"

func findingView() (disclosure.View, error) {
	return disclosure.NewView("task_finding", []string{
		"reference", "incident", "child_identity", "child_identifier", "location", "restricted",
	}, false)
}

func referenceView() (disclosure.View, error) {
	return disclosure.NewView("task_reference", []string{"reference", "incident", "child_identity"}, false)
}

// Show returns a task with what it is about, and records that it was shown.
func (s *taskService) Show(ctx context.Context, req *taskv1.ShowRequest) (*taskv1.ShowResponse, error) {
	const op = "rpc.Show"
	c := callerOf(ctx)
	var about matter
	found := false
	snapshot, _ := s.Current()
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		if t := state.Tasks[req.GetTask()]; t != nil && c.may(t.Organisation) {
			about, found = matterOf(state, t, s.Clock.Now().UnixMilli()), true
			about.holders = holders(state, t, snapshot.Name, func(child notice.ChildID) bool {
				sealed := slices.ContainsFunc(snapshot.Restrictions(child), directory.Seals)
				return c.Kind == identity.Operator || c.Kind == identity.Agency && c.Name == about.item.GetAgency() && !sealed
			})
		}
	}); err != nil {
		return nil, err
	}
	if !found {
		return nil, notice.Faultf(notice.NotFound, op, "there is no such task for you")
	}
	response := &taskv1.ShowResponse{Item: about.item, Holders: about.holders}
	view, err := s.viewOf(c, about)
	if err != nil {
		return nil, err
	}
	name := publishedView
	if view != nil {
		name = view.ID()
	}
	for _, reported := range about.reports {
		body, err := s.Engine.Body(ctx, reported.source)
		if notice.KindOf(err) == notice.NotFound && err != nil {
			continue // erased: what the task says is all that is left
		}
		if err != nil {
			return nil, err
		}
		response.Item.References = appendNew(response.Item.References, body.GetSubject())
		response.Events = append(response.Events, shown(body, reported.ref, c, view))
	}
	if about.agency != "" {
		response.Item.Agency = string(about.agency)
		events := reader{engine: s.Engine, agency: about.agency, read: map[uint64]*eventv1.Event{}}
		for _, d := range about.differences {
			_, subject, err := referenceOf(ctx, d, events)
			if err != nil {
				return nil, err
			}
			response.Item.References = appendNew(response.Item.References, subject)
		}
	}
	s.telephone(response, about)
	if len(response.Events) > 0 || about.agency != "" {
		if err := s.Engine.TaskRead(ctx, &ledgerv1.TaskRead{Task: req.GetTask(), By: c.by(), View: name}); err != nil {
			return nil, err
		}
	}
	return response, nil
}

// telephone says whom to call about a notice that nobody has, and what to say.
func (s *taskService) telephone(response *taskv1.ShowResponse, about matter) {
	if about.notice == nil || about.item.GetTask().GetKind() != ledgerv1.TaskKind_TASK_KIND_EXHAUSTED {
		return
	}
	snapshot, _ := s.Current()
	concerns := delivery.About{Child: notice.ChildID(about.notice.GetChild()), Parties: directory.NewCircle(s.key, about.parties)}
	for _, c := range delivery.Callable(about.notice.GetChain(), concerns, snapshot, s.Clock.Now()) {
		response.Numbers = append(response.Numbers, &taskv1.Number{
			Contact: c.GetId(), Name: c.GetName(), Role: c.GetRole(), Organisation: c.GetOrganisation(),
			OrganisationName: snapshot.Name(notice.OrgID(c.GetOrganisation())), Number: c.GetAddress(), Use: c.GetUse(),
			VerifiedOn: c.GetVerifiedOn(),
		})
	}
	if about.notice.GetKind() == string(notice.DeletionRequest) {
		response.Script = delivery.DeletionScript(notice.Reference(about.notice.GetDeletes()))
		return
	}
	publisher := ""
	if agency, ok := snapshot.Agency(notice.AgencyID(about.item.GetAgency())); ok {
		publisher = snapshot.Name(notice.OrgID(agency.GetOrganisation()))
	}
	if invitation := about.notice.GetInvitation(); invitation != nil {
		response.Script = delivery.MeetingScript(notice.Reference(about.notice.GetId()), publisher, time.UnixMilli(invitation.GetMeetsMs()))
		return
	}
	response.Script = delivery.CallScript(notice.Reference(about.notice.GetId()), publisher)
}

// viewOf is what the caller may see of a task's events; nil is everything that was published.
func (s *taskService) viewOf(c caller, about matter) (*disclosure.View, error) {
	if c.Kind == identity.Operator || c.Kind == identity.Agency && c.Name == about.item.GetAgency() {
		return nil, nil
	}
	view, err := referenceView()
	snapshot, _ := s.Current()
	if org, ok := snapshot.Organisation(notice.OrgID(c.organisation())); ok && org.GetKind() == "local_authority" {
		view, err = findingView()
	}
	if err != nil {
		return nil, notice.Fault(notice.Internal, "rpc.viewOf", err)
	}
	return &view, nil
}

// shown is an event as the caller may see it: of one child, where the task is about one.
func shown(body *eventv1.Event, ref string, c caller, view *disclosure.View) *eventv1.Event {
	if view != nil {
		cut, _ := disclosure.Apply(body, ref, notice.OrgID(c.organisation()), *view)
		return cut
	}
	whole := proto.CloneOf(body)
	if ref != "" {
		whole.Children = slices.DeleteFunc(whole.Children, func(child *eventv1.Child) bool { return child.GetRef() != ref })
	}
	return whole
}

// matter is what a task is about.
type matter struct {
	item    *taskv1.Item
	notice  *ledgerv1.Notice // frozen; nil where it is about none
	reports []report
	holders []*taskv1.Holder // of a misdirection
	parties [][]byte         // digests, of the notice's matter

	agency      notice.AgencyID                // of a manifest; else empty
	differences []*ledgerv1.ManifestDifference // of a manifest
}

// report is an event, and the publisher's handle of the task's child in it; empty where the task is about no child.
type report struct {
	source *ledgerv1.Source
	ref    string
}

func matterOf(state *ledger.State, t *ledger.Task, nowMS int64) matter {
	m := matter{item: item(t, nowMS)}
	if n := state.Notices[t.Notice]; n != nil {
		m.notice, m.parties = n.Notice, state.Lineages[n.Lineage].Parties
	}
	if t.Kind == ledgerv1.TaskKind_TASK_KIND_MANIFEST {
		m.agency, m.differences = state.Asks(t.Id)
		m.item.Agency = string(m.agency)
	}
	l := state.Lineages[t.Lineage]
	if l == nil {
		return m
	}
	m.item.Agency = string(l.Agency)
	if t.Kind == ledgerv1.TaskKind_TASK_KIND_MISDIRECTION {
		m.reports = astray(state, t)
		return m
	}
	for _, src := range l.Sources {
		if t.Child == "" {
			m.reports = append(m.reports, report{source: proto.CloneOf(src)})
			continue
		}
		for _, c := range l.Children {
			if c.GetChild() == t.Child && c.GetEvent() == src.GetEvent() {
				m.reports = append(m.reports, report{source: proto.CloneOf(src), ref: c.GetRef()})
			}
		}
	}
	return m
}

func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
