package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

//go:embed default.yaml
var defaultText string

// Default is the text of the default policy.
func Default() []byte { return []byte(defaultText) }

// Digest identifies a policy by its text: SHA-256, hex.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Policy is a policy that was read and found good.
type Policy struct {
	document  *policyv1.Policy
	text      []byte
	digest    string
	byKind    map[notice.EventKind][]*Rule
	views     map[string]disclosure.View
	bases     map[string]string
	lanes     map[string]ledgerv1.Lane
	taskTimes map[ledgerv1.TaskKind]time.Duration
	fullText  map[string]bool
	secure    map[string]bool

	priorities []*Priority
	needs      map[notice.EventKind][]need
	list       *List
}

// Rule is one rule with its view and its condition made ready.
type Rule struct {
	*policyv1.Rule
	View      disclosure.View
	condition condition
}

// BasisIn is the lawful basis on which a recipient in an area is told; an area that is not known counts as one of England.
func (r *Rule) BasisIn(area notice.Area) string {
	if elsewhere := r.GetOutsideEngland(); elsewhere != "" && area != "" && !strings.HasPrefix(string(area), "E") {
		return elsewhere
	}
	return r.GetBasis()
}

// Digest identifies the policy.
func (p *Policy) Digest() string { return p.digest }

// Version is the policy's name for people.
func (p *Policy) Version() string { return p.document.GetVersion() }

// Text is the document as it was read.
func (p *Policy) Text() []byte { return slices.Clone(p.text) }

// Rules lists the rules for a kind of event in the order of the document.
func (p *Policy) Rules(kind notice.EventKind) []*Rule { return slices.Clone(p.byKind[kind]) }

// View finds a view.
func (p *Policy) View(id string) (disclosure.View, bool) {
	v, ok := p.views[id]
	return v, ok
}

// Views lists the ids of the views, sorted.
func (p *Policy) Views() []string { return slices.Sorted(maps.Keys(p.views)) }

// Basis is a lawful basis in words.
func (p *Policy) Basis(code string) (text string, ok bool) {
	text, ok = p.bases[code]
	return text, ok
}

// UseInHoliday is the use of the contacts of a role that some rule turns to at a setting while it is on holiday; empty
// where none limits them.
func (p *Policy) UseInHoliday(role string) string {
	for _, rule := range p.document.GetRules() {
		for _, step := range rule.GetHoliday().GetChain() {
			if step.GetOf() == "recipient" && step.GetUse() != "" && slices.Contains(step.GetRoles(), role) {
				return step.GetUse()
			}
		}
	}
	return ""
}

// Lane is the lane of a notice: the rule's own, or the one of the publisher's risk grade. A grade that this build does
// not know counts as ungraded.
func (p *Policy) Lane(r *Rule, risk eventv1.RiskGrade) ledgerv1.Lane {
	if lane, ok := laneNames()[r.GetLane()]; ok {
		return lane
	}
	return p.lanes[gradeName(risk)]
}

// TaskTime is how long a person has for a task. A kind that the policy does not know gets the shortest time it gives.
func (p *Policy) TaskTime(k ledgerv1.TaskKind) time.Duration {
	if d, ok := p.taskTimes[k]; ok {
		return d
	}
	return slices.Min(slices.Collect(maps.Values(p.taskTimes)))
}

// RetryAfter is the time between a failed attempt (1 is the first) and the next at the same endpoint, false where the
// attempts are used up.
func (p *Policy) RetryAfter(attempt int) (time.Duration, bool) {
	retry := p.document.GetRetry()
	if attempt >= int(retry.GetAttempts()) {
		return 0, false
	}
	wait := time.Duration(retry.GetFirstSeconds()) * time.Second
	longest := time.Duration(retry.GetLongestSeconds()) * time.Second
	for i := 1; i < attempt && wait < longest; i++ {
		wait *= 2
	}
	return min(wait, longest), true
}

// FullText says whether a mail domain is trusted with the full text of a notice. A subdomain is a domain of its own.
func (p *Policy) FullText(emailDomain string) bool { return p.fullText[plainDomain(emailDomain)] }

// SecureSubject says whether mail to a domain is marked `[secure]`.
func (p *Policy) SecureSubject(emailDomain string) bool { return p.secure[plainDomain(emailDomain)] }

// Examples are the policy's own tests.
func (p *Policy) Examples() []*policyv1.Example { return slices.Clone(p.document.GetExamples()) }

func plainDomain(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }

func laneNames() map[string]ledgerv1.Lane {
	return map[string]ledgerv1.Lane{
		"urgent":  ledgerv1.Lane_LANE_URGENT,
		"high":    ledgerv1.Lane_LANE_HIGH,
		"routine": ledgerv1.Lane_LANE_ROUTINE,
	}
}

const ungraded = "ungraded"

func gradeName(risk eventv1.RiskGrade) string {
	switch risk {
	case eventv1.RiskGrade_RISK_GRADE_HIGH:
		return "high"
	case eventv1.RiskGrade_RISK_GRADE_MEDIUM:
		return "medium"
	case eventv1.RiskGrade_RISK_GRADE_STANDARD:
		return "standard"
	case eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED:
	}
	return ungraded
}

func gradeNames() []string { return []string{"high", "medium", "standard", ungraded} }

// taskNames gives each kind of task by its name in the document: TASK_KIND_GAP is `gap`.
func taskNames() map[string]ledgerv1.TaskKind {
	kinds := make(map[string]ledgerv1.TaskKind)
	for n, name := range ledgerv1.TaskKind_name {
		if n != 0 {
			kinds[strings.ToLower(strings.TrimPrefix(name, "TASK_KIND_"))] = ledgerv1.TaskKind(n)
		}
	}
	return kinds
}
