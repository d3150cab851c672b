package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// costLimit bounds what one condition may do for one recipient. Going once through the largest lists an event may hold
// costs some hundreds; each list for each item of another, some tens of thousands.
const costLimit = 100_000

// Input is what a condition knows.
type Input struct {
	Event       *eventv1.Event
	Child       *eventv1.Child
	Age         int                        // whole years at the event's time
	Setting     *directoryv1.Setting       // where the rule tells child_settings
	Participant *eventv1.Participant       // where the rule tells participants of any kind
	Person      *eventv1.Person            // where the rule tells the referrer, or the designated officer of somebody
	Member      *directoryv1.NetworkMember // where the rule tells the network
	WorkingDay  bool                       // the event's day is no weekend and no bank holiday
}

// condition is a compiled `when`; the zero condition always holds.
type condition struct{ program cel.Program }

// Applies says whether the rule's condition holds. A message that is not given counts as empty. The error, where a
// condition costs too much or fails, names the rule and no value: such a rule has not said that nobody is told.
func (r *Rule) Applies(in Input) (bool, error) {
	holds, err := r.condition.holds(in)
	if err != nil {
		// The cause is left out: CEL quotes the values that it stumbled over.
		var cancelled interpreter.EvalCancelledError
		if errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded {
			return false, notice.Faultf(notice.Invalid, "policy.Applies",
				"the condition of rule %s costs more than %d steps: make it go through fewer lists", r.GetId(), costLimit)
		}
		return false, notice.Faultf(notice.Invalid, "policy.Applies",
			"the condition of rule %s failed on this event: guard what may be missing or malformed", r.GetId())
	}
	return holds, nil
}

// holds evaluates a condition. The error may quote the event's values.
func (c condition) holds(in Input) (bool, error) {
	if c.program == nil {
		return true, nil
	}
	result, _, err := c.program.Eval(&variables{in})
	if err != nil {
		return false, err
	}
	holds, ok := result.Value().(bool)
	if !ok { // Load accepts conditions of type bool only
		return false, notice.Faultf(notice.Internal, "policy.holds", "a condition is not true or false")
	}
	return holds, nil
}

// variables are an Input as CEL asks for it, by name.
type variables struct{ in Input }

// ResolveName gives the value of a variable.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "event":
		return orEmpty(v.in.Event), true
	case "child":
		return orEmpty(v.in.Child), true
	case "working_day":
		return v.in.WorkingDay, true
	case "age":
		return int64(v.in.Age), true
	case "setting":
		return orEmpty(v.in.Setting), true
	case "participant":
		return orEmpty(v.in.Participant), true
	case "person":
		return orEmpty(v.in.Person), true
	case "member":
		return orEmpty(v.in.Member), true
	default:
		return nil, false
	}
}

// Parent is for cel.Activation: there is none.
func (*variables) Parent() cel.Activation { return nil }

func orEmpty[M any](m *M) *M {
	if m == nil {
		return new(M)
	}
	return m
}

// conditions compiles the conditions of a document.
type conditions struct {
	event *cel.Env // knows the event alone
	base  *cel.Env // and the child
	rule  *cel.Env // and the day
}

func newConditions() (conditions, error) {
	event, err := cel.NewEnv(
		cel.Container("signalbox.event.v1"), // so that an enum reads RiskGrade.RISK_GRADE_HIGH
		cel.Types(&eventv1.Event{}, &directoryv1.Setting{}, &directoryv1.NetworkMember{}),
		cel.Variable("event", cel.ObjectType("signalbox.event.v1.Event")),
	)
	if err != nil {
		return conditions{}, err
	}
	base, err := event.Extend(
		cel.Variable("child", cel.ObjectType("signalbox.event.v1.Child")),
		cel.Variable("age", cel.IntType),
	)
	if err != nil {
		return conditions{}, err
	}
	rule, err := base.Extend(cel.Variable("working_day", cel.BoolType))
	return conditions{event: event, base: base, rule: rule}, err
}

// issue is one fault in a condition: its place in the condition's text, lines from 1 and columns from 0.
type issue struct {
	line, column int
	message      string
}

// compile makes a condition ready for a rule that tells these recipients.
func (c conditions) compile(when, tell string) (condition, []issue) {
	if strings.TrimSpace(when) == "" {
		return condition{}, nil
	}
	env := c.rule
	if v := extraVariable(tell); v != "" {
		var err error
		if env, err = env.Extend(cel.Variable(v, cel.ObjectType(extraVariables()[v].message))); err != nil {
			return condition{}, []issue{{line: 1, message: err.Error()}}
		}
	}
	return compileIn(env, when)
}

// compileNeed makes a condition of a need ready. One that is not asked of each child knows no child.
func (c conditions) compileNeed(text string, ofChild bool) (condition, []issue) {
	switch {
	case strings.TrimSpace(text) == "":
		return condition{}, nil
	case ofChild:
		return compileIn(c.base, text)
	}
	ready, issues := compileIn(c.event, text)
	for i, is := range issues {
		for _, name := range []string{"child", "age"} {
			if is.message == "undeclared reference to '"+name+"'" {
				issues[i].message = "`" + name + "` is known only where a field is a child's, such as children.presence"
			}
		}
	}
	return ready, issues
}

func compileIn(env *cel.Env, when string) (condition, []issue) {
	ast, issues := env.Compile(when)
	if issues.Err() != nil {
		var found []issue
		for _, e := range issues.Errors() {
			found = append(found, issue{line: e.Location.Line(), column: e.Location.Column(), message: explained(e.Message)})
		}
		return condition{}, found
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return condition{}, []issue{{line: 1, message: fmt.Sprintf(
			"the condition gives %s: it must be true or false", cel.FormatCELType(ast.OutputType()))}}
	}
	program, err := env.Program(ast, cel.CostLimit(costLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return condition{}, []issue{{line: 1, message: err.Error()}}
	}
	return condition{program: program}, nil
}

// variable is one that only some rules know.
type variable struct {
	message string   // its type
	tells   []string // the recipients whose rules know it
}

func extraVariables() map[string]variable {
	return map[string]variable{
		"setting":     {message: "signalbox.directory.v1.Setting", tells: []string{"child_settings"}},
		"participant": {message: "signalbox.event.v1.Participant", tells: []string{"invited", "attended", "absent", "participants"}},
		"person":      {message: "signalbox.event.v1.Person", tells: []string{"referrer", "designated_officer"}},
		"member":      {message: "signalbox.directory.v1.NetworkMember", tells: []string{"network"}},
	}
}

func extraVariable(tell string) string {
	for name, v := range extraVariables() {
		if slices.Contains(v.tells, tell) {
			return name
		}
	}
	return ""
}

// explained says of a variable that the rule does not know which rules do.
func explained(message string) string {
	message, _, _ = strings.Cut(message, " (in container")
	for name, v := range extraVariables() {
		if message == "undeclared reference to '"+name+"'" {
			return fmt.Sprintf("`%s` is known only in a rule that tells %s", name, strings.Join(v.tells, ", "))
		}
	}
	return message
}
