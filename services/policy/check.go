package policy

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// checker finds what the schema cannot: names that nothing bears, and parts that do not fit each other.
type checker struct {
	source
	*faults
	document   *policyv1.Policy
	conditions conditions
}

// views makes the views. One that has a fault is among them, as far as it goes, so that no rule is blamed for naming it.
func (c checker) views() map[string]disclosure.View {
	views := make(map[string]disclosure.View)
	for i, v := range c.document.GetViews() {
		if _, twice := views[v.GetId()]; twice {
			c.add(c.at("views", i, "id"), "there is another view %s: give each an id of its own", v.GetId())
		}
		var good []string
		for j, label := range v.GetLabels() {
			at := c.at("views", i, "labels", j)
			one, err := disclosure.NewView(v.GetId(), []string{label}, false)
			switch {
			case err != nil:
				c.add(at, "%v", err)
			case one.Allows(eventv1.Label_LABEL_LOCATION), one.Allows(eventv1.Label_LABEL_RESTRICTED):
				c.add(at, "no view may allow %s: notices leave by email, and an address or a restricted text never does", label)
			case slices.Contains(good, label):
				c.add(at, "the label %s stands twice: keep one", label)
			default:
				good = append(good, label)
			}
		}
		view, err := disclosure.NewView(v.GetId(), good, v.GetOwnActionsOnly())
		if err != nil {
			c.add(c.at("views", i), "%v", err)
		}
		views[v.GetId()] = view
	}
	return views
}

// settings checks what stands beside the rules and views.
func (c checker) settings() {
	bases := make(map[string]bool)
	for i, b := range c.document.GetBases() {
		if bases[b.GetCode()] {
			c.add(c.at("bases", i, "code"), "there is another basis %s: give each a code of its own", b.GetCode())
		}
		bases[b.GetCode()] = true
	}

	lanes := slices.Sorted(maps.Keys(laneNames()))
	c.table("lanes", gradeNames(), slices.Sorted(maps.Keys(c.document.GetLanes())))
	for grade, lane := range c.document.GetLanes() {
		if !slices.Contains(lanes, lane) {
			c.add(c.at("lanes", grade), "there is no lane %q: the lanes are %s", lane, strings.Join(lanes, ", "))
		}
	}
	tasks := slices.Sorted(maps.Keys(taskNames()))
	c.table("task_minutes", tasks, slices.Sorted(maps.Keys(c.document.GetTaskMinutes())))
	for task, minutes := range c.document.GetTaskMinutes() {
		if minutes < 1 {
			c.add(c.at("task_minutes", task), "give a task at least 1 minute")
		}
	}

	if retry := c.document.GetRetry(); retry.GetLongestSeconds() < retry.GetFirstSeconds() {
		c.add(c.at("retry", "longest_seconds"), "the longest wait is shorter than the first: give at least first_seconds")
	}
	c.domains("full_text_domains", c.document.GetFullTextDomains())
	c.domains("secure_subject_domains", c.document.GetSecureSubjectDomains())
	for i, e := range c.document.GetExamples() {
		c.example(i, e)
	}
}

// table checks that a map has the keys it must have and no others.
func (c checker) table(name string, want, got []string) {
	for _, key := range want {
		if !slices.Contains(got, key) {
			c.add(c.at(name), "%s is missing: give every one of %s", key, strings.Join(want, ", "))
		}
	}
	for _, key := range got {
		if !slices.Contains(want, key) {
			c.add(c.key(key, name), "unknown key %q: the keys here are %s", key, strings.Join(want, ", "))
		}
	}
}

func (c checker) domains(name string, all []string) {
	for i, d := range all {
		if slices.ContainsFunc(all[:i], func(before string) bool { return plainDomain(before) == plainDomain(d) }) {
			c.add(c.at(name, i), "the domain stands twice: keep one")
		}
	}
}

// example checks what can be checked without running it.
func (c checker) example(i int, e *policyv1.Example) {
	if file := e.GetEvent(); path.IsAbs(file) || slices.Contains(strings.Split(file, "/"), "..") {
		c.add(c.at("examples", i, "event"), "the event lies beside the policy file: give a path from there, without `..`")
	}
	if _, err := time.Parse(time.RFC3339, e.GetAt()); err != nil && e.GetAt() != "" {
		c.add(c.at("examples", i, "at"), "write the time as RFC 3339 with an offset: 2026-11-20T22:15:00Z")
	}
	for j, tells := range e.GetTells() {
		rule, who, ok := strings.Cut(tells, " ")
		at := c.at("examples", i, "tells", j)
		if _, err := notice.ParseOrgID(who); err != nil || !ok {
			c.add(at, "write `<rule> <organisation>`, such as `encompass.school gias:900101`")
			continue
		}
		if !slices.ContainsFunc(c.document.GetRules(), func(r *policyv1.Rule) bool { return r.GetId() == rule }) {
			c.add(at, "there is no rule %q", rule)
		}
	}
}

var (
	rolePattern     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	functionPattern = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)
)
