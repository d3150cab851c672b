package policy_test

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

//go:embed testdata/base.yaml
var base string

// faultsOf loads a text and gives its faults as a person reads them.
func faultsOf(t *testing.T, text string) []string {
	t.Helper()
	_, err := policy.Load([]byte(text))
	if err == nil {
		return nil
	}
	if notice.KindOf(err) != notice.Invalid {
		t.Fatalf("kind %s, want invalid: %v", notice.KindOf(err), err)
	}
	var lines []string
	for _, f := range notice.FieldsOf(err) {
		lines = append(lines, f.Field+": "+f.Message)
	}
	if len(lines) == 0 {
		t.Fatalf("refused without a field: %v", err)
	}
	return lines
}

var update = flag.Bool("update", false, "write the golden file anew")

// listed puts a list, every other week, before the key full_text_domains. The view `list` shows what it is made of.
func listed(lines ...string) string {
	return "  - {id: list, labels: [reference, child_identity, incident, decision]}\nlist:\n  every_days: 14\n  " +
		strings.Join(lines, "\n  ") + "\nfull_text_domains"
}

// Each case puts one fault, or a few, into testdata/base.yaml: old is what stands there, new what stands there then.
// testdata/faults.golden has what Load says of each.
func TestEachFaultIsNamedWithItsPlace(t *testing.T) {
	var got strings.Builder
	for _, tc := range []struct {
		name, old, new string
	}{
		{name: "a good policy has none"},

		{name: "a quote that does not end", old: "version: \"test\"", new: "version: \"test"},
		{name: "an unknown key", old: "    view: full\n    basis: duty\n    lane", new: "    veiw: full\n    basis: duty\n    lane"},
		{name: "a key spelt as in JSON", old: "full_text_domains", new: "fullTextDomains"},
		{name: "a key twice", old: "    lane: urgent\n", new: "    lane: urgent\n    lane: high\n"},
		{name: "a word for a number", old: "minutes: 60}\n    chain:\n      - {of: recipient, roles: [dsl, head]}", new: "minutes: sixty}\n    chain:\n      - {of: recipient, roles: [dsl, head]}"},
		{name: "no rules", old: base[strings.Index(base, "rules:"):], new: ""},
		{name: "no retry", old: "retry: {attempts: 4, first_seconds: 30, longest_seconds: 90}\n", new: ""},
		{name: "a second document", old: "version: \"test\"", new: "--- {}\n---\nversion: \"test\""},

		{name: "an unknown view", old: "view: full\n    basis: duty\n    lane", new: "view: fall\n    basis: duty\n    lane"},
		{name: "an unknown basis", old: "basis: duty\n    lane", new: "basis: right\n    lane"},
		{name: "an unknown lane", old: "lane: urgent", new: "lane: fast"},
		{name: "an unknown kind of event", old: "encompass.incident", new: "encompass.accident"},
		{name: "an unknown kind of recipient", old: "tell: invited", new: "tell: everybody"},
		{name: "a role of another form", old: "[dsl, head]", new: "[DSL, head, head]"},
		{name: "the referrer's role in another chain", old: "[dsl, head]", new: "[referrer]"},
		{name: "a label that no view can name", old: "[reference, child_identity]", new: "[reference, technical, names]"},
		{name: "a view with a location or a restricted text", old: "[reference, child_identity]", new: "[reference, location, restricted, reference]"},
		{name: "ids twice", old: "  - id: meeting", new: "  - id: incident"},
		{name: "a basis twice", old: "  - {code: duty, text: A duty in law.}", new: "  - {code: duty, text: A duty in law.}\n  - {code: duty, text: Another.}"},
		{name: "a view twice", old: "full_text_domains", new: "  - {id: full}\nfull_text_domains"},
		{name: "a domain twice", old: "[trusted.example]", new: "[trusted.example, Trusted.Example]"},

		{name: "a grade without a lane", old: ", ungraded: high", new: ", unknown: high"},
		{name: "a lane that is none", old: "standard: routine", new: "standard: slow"},
		{name: "a task without its minutes", old: "unmatched: 60, ", new: "mismatched: 60, "},
		{name: "a task with no time at all", old: "unmatched: 60", new: "unmatched: 0"},
		{name: "a longest wait shorter than the first", old: "longest_seconds: 90", new: "longest_seconds: 9"},

		{name: "a condition that is no expression", old: `age < 18 && setting.kind == "school"`, new: `age < `},
		{name: "a condition on a field that does not exist", old: `setting.kind == "school"`, new: `setting.sort == "school"`},
		{name: "a condition that compares unlike types", old: `age < 18`, new: `age < "18"`},
		{name: "a condition that is neither true nor false", old: `age < 18 && setting.kind == "school"`, new: `age + 1`},
		{name: "a condition on what another rule knows", old: `person.professional`, new: `setting.kind == ""`},
		{name: "a condition in quotes", old: `when: person.professional`, new: `when: "!person.profesional"`},
		{name: "a condition over several lines", old: `when: person.professional`, new: "when: >-\n      person.professional &&\n      child.age > 3 &&\n      event.nothing"},
		{name: "a fault where a condition over several lines begins", old: `when: person.professional`, new: "when: >-\n      persona.professional"},
		{name: "a literal condition", old: `when: person.professional`, new: "when: |\n      person.professional &&\n        child.age > 3"},

		{name: "recipients that the event does not have", old: "tell: invited", new: "tell: attended"},
		{name: "attendees of an incident", old: "tell: child_settings", new: "tell: attended"},
		{name: "a referrer of an incident", old: "on: [referral.decided]", new: "on: [referral.decided, encompass.incident]"},
		{name: "organisations without a name", old: "tell: invited", new: "tell: organisations"},
		{name: "organisations for others", old: "tell: invited", new: "tell: invited\n    organisations: [Ashmere]"},
		{name: "required functions where nobody takes part", old: "required_functions: [police]\n", new: "required_functions: [police, police, The Police]\n"},
		{name: "required functions of a referrer", old: "when: person.professional", new: "required_functions: [police]"},
		{name: "a network for others", old: "tell: invited", new: "tell: invited\n    network: [gp]"},
		{name: "a network whose functions are none", old: "tell: invited", new: "tell: network\n    network: [police, GP, police]"},
		{name: "a required function that the network leaves out", old: "tell: invited", new: "tell: network\n    network: [gp]"},

		{name: "organisations of a kind that is not named", old: "tell: invited", new: "tell: residence_organisation"},
		{name: "a basis outside England that there is none of", old: "tell: invited", new: "tell: invited\n    outside_england: elsewhere"},
		{name: "a kind of organisation that is none", old: "tell: invited", new: "tell: residence_organisation\n    organisation_kind: Youth Justice"},
		{name: "a kind of organisation for others", old: "tell: invited", new: "tell: invited\n    organisation_kind: police"},
		{name: "a designated officer who is shown a child", old: "tell: invited", new: "tell: designated_officer"},
		{name: "subscribers who are not told by their inbox", old: "tell: invited", new: "tell: subscribers"},
		{name: "an inbox in another chain", old: "[dsl, head]", new: "[inbox]"},

		{name: "a session of one who is no setting", old: "clock: before_meeting", new: "clock: next_session"},
		{name: "before a meeting that is none", old: "clock: next_session", new: "clock: before_meeting"},
		{name: "a clock without its minutes", old: "clock: next_session, minutes: 60", new: "clock: at_once"},
		{name: "a clock with numbers that count for nothing", old: "{clock: noon_next_working_day}", new: "{clock: noon_next_working_day, minutes: 5, working_days: 1, from: event}"},
		{name: "working days without a number", old: "working_days: 1, ", new: ""},
		{name: "counted from a meeting that is not held", old: "from: received", new: "from: held"},
		{name: "counted from a receipt that was not", old: "{clock: before_meeting, minutes: 60}", new: "{clock: working_days, working_days: 1, from: received}"},
		{name: "a session in a holiday", old: "{clock: noon_next_working_day}", new: "{clock: next_session, minutes: 60}"},
		{name: "a holiday of one who is no setting", old: "    required_functions: [police]\n", new: "    required_functions: [police]\n    holiday: {due: {clock: noon_next_working_day}, chain: [{of: recipient, roles: [desk]}]}\n"},
		{name: "a time of day that is none", old: "\"09:00\"", new: "\"29:00\""},
		{name: "the authority of one who is no setting", old: "{of: recipient, roles: [duty]}", new: "{of: setting_authority, roles: [duty]}"},
		{name: "a step that is over before it begins", old: ", offset_minutes: 60}", new: "}"},

		{name: "a priority that lowers", old: "retry:", new: "priority:\n  - {id: a, because: b, lane: routine, when: age < 5}\nretry:"},
		{name: "a priority that raises everything", old: "retry:", new: "priority:\n  - {id: a, because: b, lane: urgent}\nretry:"},
		{name: "a priority on what only a rule knows", old: "retry:", new: "priority:\n  - id: a\n    because: b\n    lane: high\n    when: setting.kind == ''\nretry:"},
		{name: "a priority on a field that does not exist", old: "retry:", new: "priority:\n  - id: a\n    because: b\n    lane: high\n    when: event.checks.seen\nretry:"},
		{name: "a priority with unlikely repeats", old: "retry:", new: "priority:\n  - {id: a, because: b, lane: high, repeats: {count: 1, days: 0, of: [encompass.accident]}}\n  - {id: a, because: '', lane: high, on: [encompass.incident, encompass.incident], due_within_minutes: -5}\nretry:"},
		{name: "a need of an unknown kind, twice", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.accident, encompass.incident, encompass.incident], fields: [risk], remedy: give it}"},
		{name: "a need of a manifest", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [manifest], fields: [risk], remedy: give it}"},
		{name: "a need of a field that does not exist", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident], fields: [checks.pnx], remedy: give it}"},
		{name: "a need of a child's field that does not exist", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident], fields: [children.name.height], remedy: give it}"},
		{name: "a need of what lies below a text", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident], fields: [id.part], remedy: give it}"},
		{name: "a need of another kind's field", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident, enquiry.concluded], fields: [enquiry_concluded.summary], remedy: give it}"},
		{name: "a need that goes through a list", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident], fields: [people.name], remedy: give it}"},
		{name: "a need of what is true or false", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [strategy_meeting.convened], fields: [strategy_meeting_convened.urgent], remedy: give it}"},
		{name: "a need that knows no child", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident], fields: [risk], when: age < 3, remedy: give it}"},
		{name: "a need whose condition is none", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident], fields: [children.voice], when: child.voice, enough: child.noise != '', remedy: give it}"},
		{name: "a need twice, without a remedy and of no field", old: "version: \"test\"", new: "version: \"test\"\ncompleteness:\n  needs:\n    - {id: a, on: [encompass.incident], fields: [risk], remedy: r}\n    - {id: a, on: [encompass.incident], fields: [], remedy: ''}"},
		{name: "a list on no day, at no hour, by no view and on no basis", old: "full_text_domains", new: listed("first: 2026-02-30", `at: "24:00"`, "view: lost", "bases: [right, duty, duty]")},
		{name: "a list by a view that shows no list", old: "full_text_domains", new: listed("first: 06/01/2026", `at: "9:00"`, "view: full", "bases: []")},
		{name: "a list of no days, and more", old: `version: "test"`, new: "version: \"test\"\nlist: {every_days: 0, every_weeks: 2}"},
		{name: "a grace without end", old: "version: \"test\"", new: "version: \"test\"\ncompleteness: {manifest_grace_minutes: 100000, grace: 1}"},

		{name: "examples that cannot be run", old: "retry:", new: "examples:\n  - {name: a, event: ../a.json, at: today, tells: [incident, nothing gias:900101]}\nretry:"},
		{name: "several faults are all told", old: "[dsl, head]}\n      - {of: setting_authority", new: "[DSL]}\n      - {of: settings_authority"},
	} {
		if tc.old != "" && strings.Count(base, tc.old) != 1 {
			t.Fatalf("%s: %q stands %d times in the base policy, want once", tc.name, tc.old, strings.Count(base, tc.old))
		}
		found := faultsOf(t, strings.Replace(base, tc.old, tc.new, 1))
		if (len(found) == 0) != (tc.old == "") {
			t.Errorf("%s: faults %q", tc.name, found)
		}
		fmt.Fprintf(&got, "# %s\n%s\n", tc.name, strings.Join(append(found, ""), "\n"))
	}

	const golden = "testdata/faults.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", golden, diff)
	}
}

func TestTextsThatAreNoPolicy(t *testing.T) {
	for _, tc := range []struct {
		name, text, want string
	}{
		{name: "a list", text: "- a", want: "1:1: a policy is a mapping: begin with `version:`"},
		{name: "not UTF-8", text: "version: a\nbases: \xff", want: "2:8: this is not UTF-8: save the file as UTF-8"},
		{name: "line ends of an old Mac", text: "version: a\rbases: b", want: "1:11: this line ends with U+000D: end lines with a line feed"},
		{name: "a Unicode line end", text: "version: a\u2028", want: "1:11: this line ends with U+2028: end lines with a line feed"},
		{name: "too large", text: strings.Repeat("#", 1<<20+1), want: "1:1: the policy is larger than 1048576 bytes: split it or shorten it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff([]string{tc.want}, faultsOf(t, tc.text)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		if len(faultsOf(t, "")) < 5 {
			t.Errorf("an empty policy has few faults: %q", faultsOf(t, ""))
		}
	})
}

func TestLinesMayEndAsOnWindows(t *testing.T) {
	text := strings.ReplaceAll(base, "\n", "\r\n")
	p, err := policy.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if string(p.Text()) != text || p.Digest() != policy.Digest([]byte(text)) {
		t.Errorf("the text and digest are not those of the document as it was read")
	}
}

// Whatever the text, Load gives a policy or faults with places, and reads its own text again to the same effect.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(base))
	f.Add(policy.Default())
	f.Add([]byte("rules:\n- {id: a, when: '{'}\nviews: [{labels: [x]}]\n"))
	f.Add([]byte("a: &a [*a]\nrules: *a"))
	f.Add([]byte("rules: [~]\nbases: [[]]\nretry: 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Load(text)
		if err == nil {
			if _, err := policy.Load(p.Text()); err != nil {
				t.Errorf("a policy that was read is refused: %v", err)
			}
			return
		}
		var e *notice.Error
		if !errors.As(err, &e) || e.Kind != notice.Invalid || len(e.Fields) == 0 {
			t.Errorf("refused as %v", err)
		}
	})
}
