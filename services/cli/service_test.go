package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// operating is a service and the folders of people who use it by commands.
type operating struct {
	t   *testing.T
	rig *apptest.Rig
	dir string
}

// said is what a command printed, and its status.
type said struct {
	out, err string
	code     int
}

// signalbox runs a command against the service, as the owner of an identity folder.
func (o operating) signalbox(as string, args ...string) said {
	o.t.Helper()
	return o.byClock(o.rig.Clock.Now, as, args...)
}

// byClock runs a command on a machine that has a clock of its own.
func (o operating) byClock(now func() time.Time, as string, args ...string) said {
	o.t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--server", o.rig.Service.GRPCAddr(), "--identity", as)
	code := run(o.rig.Context(), env{Program: Program{Args: args, In: strings.NewReader(""), Out: &out, Err: &errs}, now: now})
	return said{out: out.String(), err: errs.String(), code: code}
}

func (o operating) admin() string { return o.rig.Service.AdminIdentity() }

// good runs a command that must succeed, and gives its output.
func (o operating) good(as string, args ...string) string {
	o.t.Helper()
	s := o.signalbox(as, args...)
	if s.code != exitGood {
		o.t.Fatalf("%s: status %d\n%s%s", strings.Join(args, " "), s.code, s.out, s.err)
	}
	return s.out
}

func (o operating) file(name string, events ...*eventv1.Event) string {
	o.t.Helper()
	var text []byte
	for _, ev := range events {
		one, err := protojson.Marshal(ev)
		if err != nil {
			o.t.Fatal(err)
		}
		text = append(append(text, one...), '\n')
	}
	return o.text(name, string(text))
}

func (o operating) text(name, text string) string {
	o.t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

// shows fails unless every pattern is in the text.
func shows(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile("(?m)" + p).MatchString(text) {
			t.Errorf("no %q in:\n%s", p, text)
		}
	}
}

// answer reads what a command printed as JSON.
func answer[M proto.Message](t *testing.T, text string, m M) M {
	t.Helper()
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return m
}

func TestCommandsWorkAgainstTheRealService(t *testing.T) {
	now := apptest.London("2026-06-18 19:42") // a school night
	rig := apptest.Start(t, now)
	o := operating{t: t, rig: rig, dir: t.TempDir()}

	police := filepath.Join(o.dir, "police")
	shows(t, o.good(o.admin(), "agency", "add", "northbridge-police", "--organisation", "northbridge-police", "--kinds", "all", "--out", police),
		"Agency northbridge-police has access")
	if again := o.signalbox(o.admin(), "agency", "add", "northbridge-police", "--organisation", "northbridge-police", "--kinds", "all", "--out", police); again.code != exitRefused {
		t.Error("an identity that is there was written over")
	} else {
		shows(t, again.err, "police has a client.crt already: move it away, or name another folder with --out")
	}
	shows(t, o.good(o.admin(), "agency", "list"), `^northbridge-police +northbridge-police +every kind$`)
	agency := &apptest.Agency{ID: "northbridge-police"}
	incident := func(id string, child *eventv1.Child) *eventv1.Event {
		return apptest.Incident(agency, id, "NP/"+id+"/26", now, child)
	}
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	nobody := apptest.Child("c1", "Nobody", "Known", "2014-01-02")

	t.Run("explain shows who would be told, in words and as JSON", func(t *testing.T) {
		file := o.file("explain.json", incident("np-1", ivo))
		shows(t, o.good(o.admin(), "explain", file),
			`Decided as of 19:42 on Thursday 18 June 2026 \(BST\). Nothing was sent.`,
			`c1 Ivo Brennock: found by name`,
			`Beacon Row Primary School \(gias:900101\)`,
			`told +J. Marlowe, DSL, by email`,
			`by +08:30 on Friday 19 June 2026 \(BST\)`,
			`Name: Ivo Brennock`)
		r := answer(t, o.good(o.admin(), "explain", file, "--output", "json", "--at", "2026-06-19T10:00:00+01:00"), &routingv1.ExplainResponse{})
		if len(r.GetDecision().GetNotices()) == 0 {
			t.Error("JSON tells of no notice")
		}
	})

	t.Run("explain names the instant of the service, whatever the clock of the machine that asks", func(t *testing.T) {
		file := o.file("elsewhere.json", incident("np-1", ivo))
		astray := func() time.Time { return now.AddDate(1, 0, 0) }
		shows(t, o.byClock(astray, o.admin(), "explain", file).out, `Decided as of 19:42 on Thursday 18 June 2026 \(BST\)`)
	})

	t.Run("publish takes the good events by both ways in and names each fault", func(t *testing.T) {
		bad := incident("np-2", apptest.Child("c1", "Ivo", "Brennock", "1990-01-01"))
		file := o.file("mixed.json", incident("np-3", ivo), bad, incident("np-4", nobody))
		for _, via := range [][]string{
			{"--via", "grpc"},
			{"--via", "nats", "--nats", rig.Service.NATSURL()},
			{"--via", "nats", "--nats", rig.Service.NATSURL(), "--encoding", string(intake.CloudEventsBinary)},
			{"--via", "nats", "--nats", rig.Service.NATSURL(), "--encoding", string(intake.CloudEventsJSON)},
		} {
			s := o.signalbox(police, append([]string{"publish", file}, via...)...)
			if s.code != exitRefused {
				t.Errorf("%v: status %d, want 1\n%s%s", via, s.code, s.out, s.err)
			}
			shows(t, s.out, `\[0\] np-3: accepted, sequence [0-9]+$`, `\[1\] np-2: refused, 1 fault$`, `^  children\[0\].date_of_birth: `,
				`\[2\] np-4: accepted, sequence [0-9]+$`)
		}
		rig.Settle()
	})

	t.Run("publish holds no event back by the clock of the machine that sends", func(t *testing.T) {
		file := o.file("punctual.json", incident("np-3", ivo)) // published before: it counts once
		for _, astray := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
			for _, via := range []string{"grpc", "nats"} {
				s := o.byClock(func() time.Time { return now.Add(astray) }, police, "publish", file, "--via", via, "--nats", rig.Service.NATSURL())
				shows(t, s.out, `np-3: accepted, sequence [0-9]+$`)
			}
		}
		rig.Settle()
	})

	t.Run("a field that cannot be read hides no other fault", func(t *testing.T) {
		file := o.text("several.json", `{"id": "np-20", "source": "northbridge-police", "type": "encompass.incident", "subject": "NP/20/26", "area": "E09000901",
			"time": "2026-06-18T19:40:00", "encompassIncident": {"occurredAt": "2026-06-18T17:00:00Z"},
			"children": [{"ref": "c1", "name": {"given": "Ivo", "family": "Brennock"}, "dateOfBirth": "2015-02-30", "hair": "red"}]}`)
		for _, via := range []string{"grpc", "nats"} {
			s := o.signalbox(police, "publish", file, "--via", via, "--nats", rig.Service.NATSURL())
			if s.code != exitRefused {
				t.Errorf("%s: status %d, want 1\n%s%s", via, s.code, s.out, s.err)
			}
			shows(t, s.out, `np-20: refused, 3 faults$`, `^  children\[0\].date_of_birth: is not a date of the calendar`, `^  children\[0\].hair: `, `^  time: has no offset`)
		}
	})

	t.Run("the ledger and the queue tell what came of it", func(t *testing.T) {
		shows(t, o.good(o.admin(), "ledger", "timeline", "--event", "northbridge-police/np-3"),
			`event accepted`, `decided .*tells gias:900101 by Fri 19 Jun 2026 08:30 BST`, `delivered`)
		shows(t, o.good(o.admin(), "ledger", "search", "--agency", "northbridge-police", "--limit", "1"), `^DECIDED +REFERENCE`, `encompass\.incident`)
		shows(t, o.good(o.admin(), "ledger", "search", "--organisation", "nowhere"), `^No notice matches`)
		shows(t, o.good(o.admin(), "ledger", "summary"), `^notices: [0-9]+ in all`, `^idle: `)
		shows(t, o.good(o.admin(), "ledger", "verify"), `^The ledger holds: [0-9]+ facts in [0-9]+ packs? read, no fault.$`)
		shows(t, o.good(police, "feedback"), `np-3 +c1 +told`, `np-4 +c1 +unmatched`, `^Go on with --after [0-9]+.$`)
		shows(t, o.good(o.admin(), "ledger", "overdue"), `Nothing is overdue|^DUE`)
		shows(t, o.good(police, "quarantine", "list"), `No event is in quarantine`)

		tasks := answer(t, o.good(o.admin(), "task", "list", "--output", "json"), &taskv1.ListResponse{})
		if len(tasks.GetItems()) == 0 {
			t.Fatal("no task for the child whom nobody knows")
		}
		id := tasks.GetItems()[0].GetTask().GetId()
		shows(t, o.good(o.admin(), "task", "claim", id), "is yours \\(admin\\)")
		shows(t, o.good(o.admin(), "task", "resolve", id, "--as", "no_action", "--reason", "A rehearsal."), "is resolved: no action")
		if s := o.signalbox(o.admin(), "task", "claim", id); s.code != exitRefused {
			t.Errorf("claiming a resolved task: status %d, want 1", s.code)
		}
		facts := answer(t, o.good(o.admin(), "ledger", "timeline", "--task", id, "--output", "json"), &ledgerv1.TimelineResponse{})
		if len(facts.GetFacts()) < 3 {
			t.Errorf("%d facts about a task that was opened, claimed and resolved", len(facts.GetFacts()))
		}
	})

	t.Run("a manifest is published, and what was left out is counted", func(t *testing.T) {
		file := o.text("manifest.json", `{"id": "np-manifest", "source": "northbridge-police", "type": "manifest", "subject": "manifest 2026-06-18",
			"time": "2026-06-18T19:42:00+01:00", "area": "E09000901", "manifest": {"day": "2026-06-18", "part": 1, "parts": 1,
			"entries": [{"kind": "encompass.incident", "subject": "NP/np-3/26", "children": 1}]}}`)
		for _, via := range []string{"grpc", "nats"} {
			shows(t, o.good(police, "publish", file, "--via", via, "--nats", rig.Service.NATSURL()), `np-manifest: accepted, sequence [0-9]+$`)
		}
		rig.Settle()
		shows(t, o.good(o.admin(), "ledger", "timeline", "--event", "northbridge-police/np-manifest"),
			`manifest taken in .*of 2026-06-18, part 1 of 1, 1 reference; compared from Fri 19 Jun 2026 02:00 BST`)
		shows(t, o.good(o.admin(), "ledger", "completeness", "--agency", "northbridge-police", "--from", "2026-06-18", "--until", "2026-06-19"),
			`northbridge-police +encompass.incident +anything +- +2 +2 +-$`, `encompass.pnc +checks.pnc +2 +2 +0$`)
		shows(t, o.good(police, "feedback"), `np-3 +- +taken in, and thin: .*checks.pnc: say whether the Police National Computer was checked`)
		counts := answer(t, o.good(o.admin(), "ledger", "completeness", "--output", "json"), &ledgerv1.CompletenessResponse{})
		if len(counts.GetCounts()) != 1 || counts.GetCounts()[0].GetEvents() != 2 {
			t.Errorf("as JSON: %v", counts)
		}
		shows(t, o.good(o.admin(), "explain", o.file("thin.json", incident("np-30", ivo))), `^Left out: sent all the same`, `^  encompass.pnd: checks.pnd$`)
		for _, wrong := range [][]string{{"--agency", "nobody"}, {"--from", "2026-06-19", "--until", "2026-06-18"}, {"--from", "yesterday"}} {
			if s := o.signalbox(o.admin(), append([]string{"ledger", "completeness"}, wrong...)...); s.code == exitGood {
				t.Errorf("%v is answered: %s", wrong, s.out)
			}
		}
		if s := o.signalbox(o.admin(), "explain", file); s.code == exitGood || !strings.Contains(s.err, "nobody is told of a manifest") {
			t.Errorf("a manifest is explained: %s%s", s.out, s.err)
		}
	})

	t.Run("the directory is imported as a diff and shown", func(t *testing.T) {
		columns := "id,name,kind,area\n"
		file := o.text("organisations.csv", columns+"quay-trust,The Quay Trust,voluntary,E09000901\n")
		shows(t, o.good(o.admin(), "directory", "import", "organisations", file, "--dry-run"),
			`add organisation quay-trust`, `^1 added, 0 changed`, `^dry run: nothing was changed$`)
		shows(t, o.good(o.admin(), "directory", "import", "organisations", file), `^in force as generation [0-9]+`)
		shows(t, o.good(o.admin(), "directory", "show", "organisation", "quay-trust"), `name: The Quay Trust`)
		shows(t, o.good(o.admin(), "directory", "show", "contact", "--organisation", "gias:900101"), `J. Marlowe, DSL of gias:900101`)
		var rows struct{ Rows []json.RawMessage }
		if err := json.Unmarshal([]byte(o.good(o.admin(), "directory", "show", "area", "--output", "json")), &rows); err != nil || len(rows.Rows) == 0 {
			t.Errorf("rows as JSON: %d, %v", len(rows.Rows), err)
		}
		shows(t, o.good(o.admin(), "directory", "coverage", "--area", "E09000901"), `voluntary +[0-9]+ of [0-9]+ .*quay-trust`)
		var lines []*struct {
			Kind           string
			Total, Covered string
			Without        []string
		}
		if err := json.Unmarshal([]byte(o.good(o.admin(), "directory", "coverage", "--output", "json")), &lines); err != nil || len(lines) == 0 {
			t.Errorf("coverage as JSON: %v, %d lines", err, len(lines))
		}
		s := o.signalbox(o.admin(), "directory", "import", "organisations", o.text("bad.csv", columns+"dock-trust,The Dock Trust,voluntary,E09000901\nquay-trust,,voluntary,E09000901\n"))
		shows(t, s.out, `line 3, column name: `)
		r := answer(t, o.good(o.admin(), "directory", "import", "organisations", file, "--output", "json"), &directoryv1.ImportResult{})
		if r.GetAdded() != 0 || r.GetUnchanged() == 0 {
			t.Errorf("the same file again: %d added, %d as they were", r.GetAdded(), r.GetUnchanged())
		}
	})

	t.Run("a policy is put in force and shown", func(t *testing.T) {
		mine := string(policy.Default()) + "# Ours.\n"
		shows(t, o.good(o.admin(), "directory", "import", "policy", o.text("policy.yaml", mine)), `^in force as generation [0-9]+`)
		if got := o.good(o.admin(), "policy", "show"); got != mine {
			t.Errorf("the policy shown is not the one imported (-want +got):\n%s", cmp.Diff(mine, got))
		}
	})

	t.Run("each refusal says why and what to do", func(t *testing.T) {
		s := o.signalbox(police, "ledger", "summary")
		if s.code != exitRefused {
			t.Errorf("an agency reads the ledger: status %d", s.code)
		}
		shows(t, s.err, `^signalbox: refused to the agency northbridge-police: `)
		s = o.signalbox(o.admin(), "publish", o.file("one.json", incident("np-9", ivo)))
		shows(t, s.err, `only an agency publishes; use the folder that .signalbox agency add. wrote`)
		s = o.signalbox(police, "publish", o.file("one.json", incident("np-9", ivo)), "--via", "nats", "--nats", "tls://127.0.0.1:1")
		shows(t, s.err, `no NATS server of this service answers at tls://127.0.0.1:1 .*name another address with --nats`)
		s = o.signalbox(selfMadeOperator(t), "task", "list")
		shows(t, s.err, `do not trust each other \(.*: use an identity that this service made`)
		s = o.signalbox(o.admin(), "agency", "add", "nobody", "--organisation", "nowhere", "--kinds", "encompass.incident", "--out", filepath.Join(o.dir, "nobody"))
		shows(t, s.err, `^  agency.organisation: is not in the directory`)
		s = o.signalbox(o.admin(), "directory", "show", "--organisation", "900101")
		shows(t, s.out, `^The directory has no such row. A school's id begins with its register, as in gias:900101.`)
	})

	t.Run("an identity whose time is over is said to be so", func(t *testing.T) {
		s := o.signalbox(expiredOperator(t, rig.Data), "task", "list")
		if s.code != exitRefused {
			t.Errorf("status %d, want 1", s.code)
		}
		shows(t, s.err, `^signalbox: the identity .*old is out of date: it was good until 20[0-9]{2}-.* UTC; ask for a new one`)
	})

	t.Run("the page's address is told from the one for programs", func(t *testing.T) {
		var out, errs bytes.Buffer
		code := run(rig.Context(), env{Program: Program{
			Args: []string{"task", "list", "--server", strings.TrimPrefix(rig.Service.PageURL(), "https://"), "--identity", o.admin()},
			Out:  &out, Err: &errs,
		}, now: time.Now})
		if code != exitRefused {
			t.Errorf("status %d, want 1", code)
		}
		shows(t, errs.String(), `^signalbox: what answers at 127.0.0.1:[0-9]+ is a web server: name the address of .grpc.listen.`)
		if strings.Contains(errs.String(), "<html") {
			t.Errorf("it prints the page: %s", errs.String())
		}
	})

	t.Run("an operator made from the data folder is let in", func(t *testing.T) {
		dir := filepath.Join(o.dir, "okoro")
		var out, errs bytes.Buffer
		code := run(rig.Context(), env{Program: Program{
			Args: []string{"operator", "add", "m.okoro", "--data", rig.Data, "--out", dir, "--days", "1"}, Out: &out, Err: &errs,
		}, now: time.Now})
		if code != exitGood {
			t.Fatal(errs.String())
		}
		o.good(dir, "ledger", "summary")
	})
}

func TestAServerThatIsNotThereIsNamedWithTheRemedy(t *testing.T) {
	folder := selfMadeOperator(t)
	var out, errs bytes.Buffer
	code := run(t.Context(), env{Program: Program{
		Args: []string{"task", "list", "--server", "127.0.0.1:1", "--identity", folder}, Out: &out, Err: &errs,
	}, now: time.Now})
	if code != exitRefused {
		t.Errorf("status %d, want 1", code)
	}
	shows(t, errs.String(), `^signalbox: no Signalbox answers at 127.0.0.1:1 \(connection refused\): start it .*--server HOST:PORT or SIGNALBOX_SERVER`)
}

// expiredOperator is an identity folder that the authority below data made three days ago for a day.
func expiredOperator(t *testing.T, data string) string {
	t.Helper()
	ca, err := identity.LoadCA(filepath.Join(data, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	peer, err := identity.NewPeer(identity.Operator, "old")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.IssueClient(peer, time.Now().Add(-72*time.Hour), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "old")
	if err := writeIdentity(folder, pair, ca.CertPEM(), nil); err != nil {
		t.Fatal(err)
	}
	return folder
}

// selfMadeOperator is an identity folder of an authority that no service has.
func selfMadeOperator(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := identity.CreateCA(filepath.Join(dir, "ca"), time.Now(), 48*time.Hour); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "operator")
	var out, errs bytes.Buffer
	code := run(t.Context(), env{Program: Program{
		Args: []string{"operator", "add", "m.okoro", "--data", dir, "--out", folder, "--days", "1"}, Out: &out, Err: &errs,
	}, now: time.Now})
	if code != exitGood {
		t.Fatal(errs.String())
	}
	return folder
}
