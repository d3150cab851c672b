package policy

import (
	"maps"
	"slices"
	"strings"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
)

// List is how the list of children missing, in police protection or in custody is shown to those who subscribe to it.
type List struct {
	*policyv1.List
	View disclosure.View
}

// List is the policy's, nil where it has none: then nobody can subscribe to it.
func (p *Policy) List() *List { return p.list }

// GrantedOn says whether a subscription to the list counts on a basis.
func (l *List) GrantedOn(basis string) bool { return l != nil && slices.Contains(l.GetBases(), basis) }

// Since is from when on the list of an instant looks: so many days of the calendar before, whose clock is that of the instant.
func (l *List) Since(asOf time.Time) time.Time { return asOf.AddDate(0, 0, -int(l.GetEveryDays())) }

// listLabels are what the list is made of: a view without one of them shows no list.
func listLabels() []eventv1.Label {
	return []eventv1.Label{
		eventv1.Label_LABEL_REFERENCE, eventv1.Label_LABEL_CHILD_IDENTITY, eventv1.Label_LABEL_INCIDENT, eventv1.Label_LABEL_DECISION,
	}
}

// list checks the list and makes it ready; nil where there is none.
func (c checker) list(views map[string]disclosure.View) *List {
	l := c.document.GetList()
	if l == nil {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, l.GetFirst()); err != nil {
		c.add(c.at("list", "first"), "write the date as YYYY-MM-DD")
	}
	if _, err := time.Parse("15:04", l.GetAt()); err != nil || len(l.GetAt()) != len("15:04") {
		c.add(c.at("list", "at"), "write the clock time as HH:MM, from 00:00 to 23:59")
	}
	view, ok := views[l.GetView()]
	if !ok {
		c.add(c.at("list", "view"), "there is no view %q: the views are %s", l.GetView(), strings.Join(slices.Sorted(maps.Keys(views)), ", "))
	}
	var lacks []string
	for _, label := range listLabels() {
		if !view.Allows(label) {
			lacks = append(lacks, strings.ToLower(strings.TrimPrefix(label.String(), "LABEL_")))
		}
	}
	if ok && len(lacks) > 0 {
		c.add(c.at("list", "view"), "the list cannot be made of what the view shows: give one that has %s too", strings.Join(lacks, ", "))
	}
	for i, code := range l.GetBases() {
		switch {
		case slices.Contains(l.GetBases()[:i], code):
			c.add(c.at("list", "bases", i), "the basis %s stands twice: keep one", code)
		case !slices.ContainsFunc(c.document.GetBases(), func(b *policyv1.Basis) bool { return b.GetCode() == code }):
			c.add(c.at("list", "bases", i), "there is no basis %q: give the code of one of `bases`", code)
		}
	}
	return &List{List: l, View: view}
}
