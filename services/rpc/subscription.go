package rpc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type subscriptionService struct {
	subscriptionv1.UnimplementedSubscriptionServiceServer
	Deps
}

// mostRequests is how many requests of one agency wait for an answer at once.
const mostRequests = 500

// Request asks for a subscription. Whether anybody knows the child makes no difference to the answer.
func (s *subscriptionService) Request(ctx context.Context, req *subscriptionv1.RequestRequest) (*subscriptionv1.RequestResponse, error) {
	const op = "rpc.Request"
	c := callerOf(ctx)
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	row := &directoryv1.Subscription{
		Id: "sub-" + hex.EncodeToString(random[:]), Agency: c.Name, Organisation: c.organisation(), Kinds: req.GetKinds(), Area: req.GetArea(),
		Matter: req.GetMatter(), Described: req.GetChild(), Purpose: req.GetPurpose(), RequestedMs: s.Clock.Now().UnixMilli(),
		List: req.GetList(),
	}
	_, err := s.change(ctx, func(snapshot *directory.Snapshot) (*directoryv1.Subscription, error) {
		_, current := s.Current()
		if faults := requestFaults(req, snapshot, current.SubscribedKinds()); len(faults) > 0 {
			return nil, notice.InvalidFields(op, faults)
		}
		waiting := 0
		for _, other := range snapshot.Rows(directory.KindSubscription) {
			if o := other.GetSubscription(); o.GetAgency() == c.Name && o.GetGrantedBy() == "" && o.GetEndedMs() == 0 {
				waiting++
			}
		}
		if waiting >= mostRequests {
			return nil, notice.Faultf(notice.Precondition, op, "%d requests wait for an answer: end those that you no longer need first", waiting)
		}
		return row, nil
	})
	if err != nil {
		return nil, err
	}
	return &subscriptionv1.RequestResponse{Id: row.Id}, nil
}

// requestFaults holds a request against the directory and the kinds of event that the policy tells subscribers of. What it
// says is the same whoever the child is.
func requestFaults(req *subscriptionv1.RequestRequest, snapshot *directory.Snapshot, told []string) (faults []notice.FieldFault) {
	add := func(field, message string) {
		faults = append(faults, notice.FieldFault{Field: field, Message: message})
	}
	if len(told) == 0 {
		add("kinds", "the policy tells subscribers of nothing: ask the operator of Signalbox for a rule that does, then ask again")
	}
	for i, kind := range req.GetKinds() {
		field := fmt.Sprintf("kinds[%d]", i)
		switch {
		case !slices.Contains(notice.EventKinds(), notice.EventKind(kind)):
			add(field, "is not a kind of event: give kinds such as conference.concluded")
		case len(told) > 0 && !slices.Contains(told, kind):
			add(field, "is a kind of which no subscriber is told: leave it out, or ask for "+strings.Join(told, ", "))
		}
	}
	if _, ok := snapshot.Area(notice.Area(req.GetArea())); req.GetArea() != "" && !ok {
		add("area", "is not an area of the directory: give the GSS code of a local authority or police area")
	}
	if m := req.GetMatter(); m != nil && (m.GetAgency() == "" || m.GetReference() == "") {
		add("matter", "needs both: the agency that publishes, and its reference")
	}
	if child := req.GetChild(); child != nil {
		if child.GetGiven() == "" || child.GetFamily() == "" {
			add("child.family", "give the child's given and family name")
		}
		if _, err := directory.ParseDate(child.GetDateOfBirth()); err != nil {
			add("child.date_of_birth", "write the date as YYYY-MM-DD")
		}
	}
	if req.GetList() && (req.GetArea() == "" || req.GetChild() != nil || req.GetMatter() != nil || len(req.GetKinds()) > 0) {
		add("list", "is of an area: give that, and no child, matter or kinds")
	}
	if req.GetArea() == "" && req.GetChild() == nil && req.GetMatter() == nil {
		add("area", "say of whom: give an area, a child or a matter")
	}
	return faults
}

// Grant records the basis of a subscription.
func (s *subscriptionService) Grant(ctx context.Context, req *subscriptionv1.GrantRequest) (*subscriptionv1.GrantResponse, error) {
	const op = "rpc.Grant"
	now := s.Clock.Now()
	by := callerOf(ctx).by()
	granted, err := s.change(ctx, func(snapshot *directory.Snapshot) (*directoryv1.Subscription, error) {
		was, ok := snapshot.Subscription(req.GetId())
		switch {
		case !ok:
			return nil, notice.Faultf(notice.NotFound, op, "there is no such subscription: see `signalbox subscription list`")
		case was.GetEndedMs() != 0:
			return nil, notice.Faultf(notice.Precondition, op, "the subscription has ended: the agency asks for another")
		case was.GetGrantedBy() != "":
			return nil, notice.Faultf(notice.Precondition, op, "the subscription is granted already: end it, and have the agency ask for another")
		case !snapshot.ActsFor(was.GetAgency(), was.GetOrganisation()):
			return nil, notice.Faultf(notice.Precondition, op, "the agency has no access any more, or acts for another organisation: end the request")
		}
		row := proto.CloneOf(was)
		row.Basis, row.Authoriser, row.GrantedBy, row.ReviewOn = req.GetBasis(), req.GetAuthoriser(), by, req.GetReviewOn()
		row.FromMs, row.UntilMs = now.UnixMilli(), req.GetUntil().AsTime().UnixMilli()
		if req.GetFrom() != nil {
			row.FromMs = req.GetFrom().AsTime().UnixMilli()
		}
		faults := s.termFaults(row, now.UnixMilli())
		child, found := childOf(was.GetDescribed(), req.GetChild(), snapshot)
		if !found {
			faults = append(faults, notice.FieldFault{Field: "child",
				Message: "nobody on any roll is certainly the child described: name the one whom you have made sure of, or end the request"})
		}
		row.Child, row.Described = child, nil
		if len(faults) > 0 {
			return nil, notice.InvalidFields(op, faults)
		}
		return row, nil
	})
	if err != nil {
		return nil, err
	}
	return &subscriptionv1.GrantResponse{Subscription: granted}, nil
}

// termFaults holds what a subscription is granted on against the policy and the clock.
func (s *subscriptionService) termFaults(row *directoryv1.Subscription, nowMS int64) (faults []notice.FieldFault) {
	add := func(field, message string) {
		faults = append(faults, notice.FieldFault{Field: field, Message: message})
	}
	_, current := s.Current()
	switch {
	case row.GetList() && !current.List().GrantedOn(row.GetBasis()):
		add("basis", "the policy does not have the list granted on this basis: see `list` in `signalbox policy show`")
	case !row.GetList() && !current.TellsSubscribers(row.GetBasis(), row.GetKinds()):
		add("basis", "no rule of the policy tells subscribers of these kinds on this basis: see `signalbox policy show`")
	}
	if row.GetFromMs() < nowMS {
		add("from", "is in the past: nothing is told of what came before a subscription was granted")
	}
	if row.GetUntilMs() <= row.GetFromMs() {
		add("until", "is not after the beginning: give the instant at which the basis is over")
	}
	review, err := directory.ParseDate(row.GetReviewOn())
	switch ends := directory.DateOf(time.UnixMilli(row.GetUntilMs())); {
	case err != nil:
		add("review_on", "write the date as YYYY-MM-DD")
	case review.After(ends), review.Before(directory.DateOf(time.UnixMilli(nowMS))):
		add("review_on", "is in the past, or after the end: give a day on which somebody looks at it again while it lasts")
	}
	return faults
}

// childOf finds the child whom a request describes. Whoever is sealed, or may be somebody who is, is nobody; so is a child
// whom the operator names and with whom neither the family name nor the date of birth agrees.
func childOf(described *directoryv1.SubscribedChild, named string, snapshot *directory.Snapshot) (child string, found bool) {
	if described == nil {
		return "", named == ""
	}
	query := directory.Query{Given: described.GetGiven(), Family: described.GetFamily(), DateOfBirth: described.GetDateOfBirth()}
	for _, id := range described.GetIdentifiers() {
		query.Identifiers = append(query.Identifiers, directory.Identifier{Scheme: id.GetScheme(), Value: id.GetValue()})
	}
	match := snapshot.Match(query)
	candidates := append(slices.Clone(match.Candidates), match.Child)
	child = string(match.Child)
	if named != "" {
		row, _ := snapshot.Child(notice.ChildID(named))
		agrees := directory.FoldName(row.GetFamily()) == directory.FoldName(described.GetFamily()) || row.GetDateOfBirth() == described.GetDateOfBirth()
		if row == nil || !agrees {
			return "", false
		}
		child, candidates = named, append(candidates, notice.ChildID(named))
	}
	for _, id := range candidates {
		if sealedChild(snapshot, string(id)) {
			return "", false
		}
	}
	return child, child != ""
}

// End ends a subscription or turns a request down.
func (s *subscriptionService) End(ctx context.Context, req *subscriptionv1.EndRequest) (*subscriptionv1.EndResponse, error) {
	c := callerOf(ctx)
	_, err := s.change(ctx, func(snapshot *directory.Snapshot) (*directoryv1.Subscription, error) {
		was, ok := snapshot.Subscription(req.GetId())
		if !ok || c.Kind != identity.Operator && was.GetAgency() != c.Name {
			return nil, notice.Faultf(notice.NotFound, "rpc.End", "there is no such subscription for you: see `signalbox subscription list`")
		}
		if was.GetEndedMs() != 0 {
			return nil, nil
		}
		row := proto.CloneOf(was)
		row.EndedMs, row.EndedBy, row.Described = s.Clock.Now().UnixMilli(), c.by(), nil
		return row, nil
	})
	if err != nil {
		return nil, err
	}
	return &subscriptionv1.EndResponse{}, nil
}

// List lists subscriptions. Which child of the directory one is about is for operators, and only while nothing seals it.
func (s *subscriptionService) List(ctx context.Context, req *subscriptionv1.ListRequest) (*subscriptionv1.ListResponse, error) {
	c := callerOf(ctx)
	operator := c.Kind == identity.Operator
	agency := req.GetAgency()
	if !operator {
		if agency != "" && agency != c.Name {
			return nil, notice.Faultf(notice.Denied, "rpc.List", "an agency sees its own subscriptions: leave agency empty")
		}
		agency = c.Name
	}
	snapshot, _ := s.Current()
	now := s.Clock.Now()
	response := &subscriptionv1.ListResponse{}
	for _, row := range snapshot.Rows(directory.KindSubscription) {
		sub := row.GetSubscription()
		state := directory.StateOf(sub, now)
		over := state == directory.SubscriptionEnded || state == directory.SubscriptionExpired
		if agency != "" && sub.GetAgency() != agency || over && !req.GetAll() {
			continue
		}
		shown := proto.CloneOf(sub)
		if !operator || sealedChild(snapshot, shown.GetChild()) {
			shown.Child = ""
		}
		response.Items = append(response.Items, &subscriptionv1.Item{
			Subscription: shown, State: state, ReviewDue: state == directory.SubscriptionCounts && shown.GetReviewOn() <= directory.DateOf(now).String(),
		})
	}
	return response, nil
}

// change writes one subscription, as fn makes it of the directory as it is now, and has it in force when it returns. Where
// somebody else changed the directory meanwhile fn is asked again. Nothing is written where fn gives nothing.
func (s *subscriptionService) change(ctx context.Context, fn func(*directory.Snapshot) (*directoryv1.Subscription, error)) (*directoryv1.Subscription, error) {
	for tries := 1; ; tries++ {
		row, err := s.tryChange(ctx, fn)
		if err == nil || notice.KindOf(err) != notice.Conflict || tries == mostChanges {
			return row, err
		}
	}
}

// mostChanges is how often a change is begun anew because another came between.
const mostChanges = 5

func (s *subscriptionService) tryChange(ctx context.Context, fn func(*directory.Snapshot) (*directoryv1.Subscription, error)) (*directoryv1.Subscription, error) {
	// A generation begins before the directory is read: whatever is committed after that makes its commit a Conflict.
	generation, err := s.Directory.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.Access.Changed(ctx); err != nil {
		return nil, err
	}
	snapshot, _ := s.Current()
	row, err := fn(snapshot)
	if err != nil || row == nil {
		return nil, err
	}
	value, err := proto.Marshal(directory.SubscriptionRow(row))
	if err != nil {
		return nil, notice.Faultf(notice.Invalid, "rpc.change", "a text is not UTF-8: write it again")
	}
	if err := generation.Put(ctx, directory.KindSubscription, row.GetId(), value); err != nil {
		return nil, err
	}
	if _, err := generation.Commit(ctx); err != nil {
		return nil, err
	}
	return row, s.Access.Changed(ctx)
}
