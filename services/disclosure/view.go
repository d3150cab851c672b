package disclosure

import (
	"fmt"
	"slices"
	"strings"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

const labelPrefix = "LABEL_"

// View is what a recipient may see: the fields with these labels and no others. The zero View allows nothing.
type View struct {
	id             string
	labels         uint64 // a bit for each label allowed
	ownActionsOnly bool
	plan           *plan // nil in the zero View
}

// NewView makes a view of labels in lower case without their prefix: `child_identity`. The labels that give a message
// its structure (`technical`, `group`, `inherited`, `unspecified`) cannot be named. With ownActionsOnly the recipient
// sees, of the actions agreed, those that it owns.
func NewView(id string, labels []string, ownActionsOnly bool) (View, error) {
	v := View{id: id, ownActionsOnly: ownActionsOnly}
	var unknown []string
	for _, name := range labels {
		label, ok := labelNamed(name)
		if !ok {
			unknown = append(unknown, fmt.Sprintf("%q", name))
			continue
		}
		v.labels |= 1 << label
	}
	if len(unknown) > 0 {
		return View{}, fmt.Errorf("a view cannot name %s: the labels are %s",
			strings.Join(unknown, ", "), strings.Join(LabelNames(), ", "))
	}
	v.plan = newPlan(v)
	return v, nil
}

// ID is the view's id.
func (v View) ID() string { return v.id }

// OwnActionsOnly says whether the recipient sees its own actions only.
func (v View) OwnActionsOnly() bool { return v.ownActionsOnly }

// Allows says whether fields with this label are disclosed. The labels of structure never are.
func (v View) Allows(l eventv1.Label) bool {
	return l > 0 && l < 64 && v.labels&(1<<l) != 0
}

// LabelNames lists the labels that a view may name, in the order of their numbers.
func LabelNames() []string {
	var numbers []int32
	for n := range eventv1.Label_name {
		if !structural(eventv1.Label(n)) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = strings.ToLower(strings.TrimPrefix(eventv1.Label_name[n], labelPrefix))
	}
	return names
}

func labelNamed(name string) (eventv1.Label, bool) {
	if name != strings.ToLower(name) {
		return 0, false
	}
	n, ok := eventv1.Label_value[labelPrefix+strings.ToUpper(name)]
	label := eventv1.Label(n)
	return label, ok && !structural(label)
}

// structural says whether a label says how a message is built rather than how sensitive a value is.
func structural(l eventv1.Label) bool {
	return l == eventv1.Label_LABEL_UNSPECIFIED || l == eventv1.Label_LABEL_TECHNICAL ||
		l == eventv1.Label_LABEL_GROUP || l == eventv1.Label_LABEL_INHERITED
}
