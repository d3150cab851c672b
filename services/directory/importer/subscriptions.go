package importer

import (
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// importedBy stands for who granted a subscription that came by a file: an operator imported it.
const importedBy = "operator:import"

// readSubscriptions reads subscriptions to an area, as they were granted. One that a file does not list stays; it ends by
// its date, or is ended by itself.
func (j *job) readSubscriptions(text string) error {
	cols := columns{
		required: []string{"id", "agency", "organisation", "area", "basis", "authoriser", "from", "until", "review_on"},
		optional: []string{"kinds", "list"},
	}
	j.total = len(j.current.Rows(directory.KindSubscription))
	seen := make(map[RowKey]int64)
	return j.table(text, cols, func(l *line) {
		s := &directoryv1.Subscription{
			Id: l.id("id"), Agency: l.agency("agency"), Organisation: l.organisation("organisation"), Kinds: l.kinds("kinds"),
			List: l.yes("list"), Basis: l.token("basis"), Authoriser: l.required("authoriser"), ReviewOn: l.requiredDate("review_on"), GrantedBy: importedBy,
		}
		if l.required("area") != "" {
			s.Area = l.knownArea("area")
		}
		if s.GetList() && len(s.GetKinds()) > 0 {
			l.fault("kinds", "are not for a subscription to the list: leave them empty, and subscribe to outcomes by another row")
		}
		l.lasts(s)
		l.told(s)
		if row, ok := j.current.Row(directory.KindSubscription, s.GetId()); ok {
			if was := row.GetSubscription(); was.GetEndedMs() != 0 || was.GetGrantedBy() != importedBy || was.GetAgency() != s.GetAgency() {
				l.fault("id", "is that of a subscription that has ended, was asked for, or is another agency's: give this one an id of its own")
			}
		}
		if a, ok := j.current.Agency(notice.AgencyID(s.GetAgency())); ok && s.GetOrganisation() != "" && a.GetOrganisation() != s.GetOrganisation() {
			l.fault("organisation", "is not the one that the agency acts for")
		}
		l.take(directory.SubscriptionRow(s), seen, false)
	})
}

// lasts reads the days between which a subscription counts: from the beginning of one until the beginning of the other.
func (l *line) lasts(s *directoryv1.Subscription) {
	from, err := directory.ParseDate(l.requiredDate("from"))
	until, errUntil := directory.ParseDate(l.requiredDate("until"))
	if err != nil || errUntil != nil {
		return
	}
	s.FromMs, s.UntilMs = from.At("00:00").UnixMilli(), until.At("00:00").UnixMilli()
	if !until.After(from) {
		l.fault("until", "is not after from: give the first day on which it counts no more")
	}
	if review, err := directory.ParseDate(s.GetReviewOn()); err == nil && (review.After(until) || review.Before(from)) {
		l.fault("review_on", "is not while it lasts: give a day on which somebody looks at it again")
	}
}

// told reports what no rule of the policy tells subscribers of: a subscription to it would look granted and tell nobody.
func (l *line) told(s *directoryv1.Subscription) {
	told, listed := l.j.req.Told, l.j.req.Listed
	switch {
	case told == nil || listed == nil || s.GetBasis() == "":
	case s.GetList():
		if !listed(s.GetBasis()) {
			l.fault("basis", "is one on which the policy does not grant the list: correct it, or import the policy whose list has it first")
		}
	case !told(s.GetBasis(), nil):
		l.fault("basis", "is one on which no rule of the policy tells subscribers: correct it, or import the policy that has such a rule first")
	case slices.ContainsFunc(s.GetKinds(), func(kind string) bool { return !told(s.GetBasis(), []string{kind}) }):
		l.fault("kinds", "names a kind of which no rule of the policy tells subscribers on this basis: leave it out, or import the policy that has such a rule first")
	}
}

func (l *line) agency(column string) string {
	s := l.required(column)
	if _, err := notice.ParseAgencyID(s); s != "" && err != nil {
		l.fault(column, "is not an agency's id: see `signalbox agency list`")
	}
	return s
}

// kinds reads kinds of event with ; between.
func (l *line) kinds(column string) []string {
	var kinds []string
	for _, part := range strings.Split(l.text(column), ";") {
		kind := strings.TrimSpace(part)
		switch {
		case kind == "":
		case !slices.Contains(notice.EventKinds(), notice.EventKind(kind)):
			l.fault(column, "names a kind of event that does not exist: give kinds such as conference.concluded, with ; between")
			return nil
		default:
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
