// Package services_test holds the code to the import table in docs/architecture.md.
package services_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	module   = "github.com/signalbox-hq/signalbox"
	document = "../docs/architecture.md"
	begin    = "<!-- imports:begin -->"
	end      = "<!-- imports:end -->"
	star     = "★"
)

func TestEveryImportIsInTheTable(t *testing.T) {
	rooms := documentedRooms(t)
	found := sourcePackages(t)

	for _, name := range slices.Sorted(maps.Keys(found)) {
		r, ok := rooms[name]
		if !ok {
			t.Errorf("package %s is not in the table of %s: add a row that says what it may import", name, document)
			continue
		}
		for _, problem := range r.forbidden(found[name]) {
			t.Errorf("package %s: %s", name, problem)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		if _, ok := found[name]; !ok {
			t.Errorf("the table of %s has a row for %s, which does not exist: remove the row", document, name)
		}
	}
}

func TestPureRoomsOnlyDecide(t *testing.T) {
	found := sourcePackages(t)
	pure := 0
	for name, r := range documentedRooms(t) {
		if !r.pure {
			continue
		}
		pure++
		for _, problem := range r.impurities(found[name]) {
			t.Errorf("pure room %s: %s", name, problem)
		}
	}
	if pure == 0 {
		t.Errorf("no row of %s is marked %s: the pure rooms are not held to anything", document, star)
	}
}

func TestTheTableIsReadOrRefused(t *testing.T) {
	table := func(rows ...string) string {
		return "prose\n" + begin + "\n| package | may import |\n|---|---|\n" + strings.Join(rows, "\n") + "\n" + end + "\nprose"
	}
	for _, tc := range []struct {
		name, text string
		want       map[string]room
		wantErr    string
	}{
		{
			name: "rows give rooms",
			text: table("| notice ★ | (none) |", "| `ledger` ★ | `notice`, std:sync |", "| app | (all) |"),
			want: map[string]room{
				"notice": {pure: true},
				"ledger": {pure: true, may: []string{"notice", "std:sync"}},
				"app":    {all: true},
			},
		},
		{name: "a document without a table is refused", text: "prose", wantErr: "no lines " + begin + " and " + end},
		{name: "a table without rows is refused", text: table(), wantErr: "no rows"},
		{name: "a row with one column is refused", text: table("| notice |"), wantErr: `row "| notice |": want two columns`},
		{name: "a row without imports is refused", text: table("| notice |  |"), wantErr: `row "| notice |  |": say (none), (all) or a list`},
		{name: "the same package twice is refused", text: table("| a | (none) |", "| a | (all) |"), wantErr: "package a has two rows"},
		{name: "an import that has no row is refused", text: table("| a | b |"), wantErr: "package a may import b, which has no row"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseTable(tc.text)
			if tc.wantErr != "" {
				if err == nil || err.Error() != tc.wantErr {
					t.Fatalf("error %v, want %s", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(room{})); diff != "" {
				t.Errorf("rooms (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheRulesCatchWhatTheyForbid(t *testing.T) {
	for _, tc := range []struct {
		name, source string
		room         room
		want         []string
	}{
		{
			name:   "generated contracts and listed packages are allowed",
			source: `import ("time"; _ "` + module + `/api/signalbox/event/v1"; _ "` + module + `/services/notice"); func f(now time.Time) {}`,
			room:   room{pure: true, may: []string{"notice"}},
		},
		{
			name:   "a package that is not listed is not allowed",
			source: `import _ "` + module + `/services/store"`,
			room:   room{may: []string{"notice"}},
			want:   []string{"imports store, which the table does not allow (room.go:1)"},
		},
		{
			name:   "a listed package does not bring in those below it",
			source: `import _ "` + module + `/services/directory/importer"`,
			room:   room{may: []string{"directory"}},
			want:   []string{"imports directory/importer, which the table does not allow (room.go:1)"},
		},
		{
			name:   "a pure room imports nothing that reaches outside",
			source: `import (_ "context"; _ "net/http"; _ "os"; _ "github.com/nats-io/nats.go/jetstream"; _ "osmosis.example")`,
			room:   room{pure: true},
			want: []string{
				"imports context (room.go:1)",
				"imports net/http (room.go:1)",
				"imports os (room.go:1)",
				"imports github.com/nats-io/nats.go/jetstream (room.go:1)",
			},
		},
		{
			name:   "an exception in the table is honoured",
			source: `import (_ "sync"; _ "log")`,
			room:   room{pure: true, may: []string{"std:sync"}},
			want:   []string{"imports log (room.go:1)"},
		},
		{
			name:   "a pure room has no clock, under any name, and no goroutine",
			source: `import clock "time"; var now = clock.Now; func f() { go f() }`,
			room:   room{pure: true},
			want:   []string{"uses time.Now (room.go:1)", "starts a goroutine (room.go:1)"},
		},
		{
			name:   "a pure room does not hide a clock behind a dot import",
			source: `import . "time"; var now = Now()`,
			room:   room{pure: true},
			want:   []string{"dot-imports time (room.go:1)"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, "room.go", "package room; "+tc.source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p := sources{fset: fset, files: []*ast.File{file}}
			got := tc.room.forbidden(p)
			if tc.room.pure {
				got = append(got, tc.room.impurities(p)...)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// room is one row of the table.
type room struct {
	pure bool
	all  bool     // may import every package of the module
	may  []string // names as the table gives them; "std:sync" lifts one ban of a pure room
}

func documentedRooms(t *testing.T) map[string]room {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := parseTable(string(text))
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return rooms
}

func parseTable(text string) (map[string]room, error) {
	_, text, opened := strings.Cut(text, begin)
	text, _, closed := strings.Cut(text, end)
	if !opened || !closed {
		return nil, fmt.Errorf("no lines %s and %s", begin, end)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) < 3 { // the heading and the rule under it
		return nil, errors.New("no rows")
	}

	rooms := make(map[string]room)
	for _, line := range lines[2:] {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 2 {
			return nil, fmt.Errorf("row %q: want two columns", line)
		}
		clean := strings.NewReplacer("`", "", " ", "")
		name, pure := strings.CutSuffix(clean.Replace(cells[0]), star)
		r := room{pure: pure}
		switch imports := clean.Replace(cells[1]); imports {
		case "":
			return nil, fmt.Errorf("row %q: say (none), (all) or a list", line)
		case "(none)":
		case "(all)":
			r.all = true
		default:
			r.may = strings.Split(imports, ",")
		}
		if _, ok := rooms[name]; ok {
			return nil, fmt.Errorf("package %s has two rows", name)
		}
		rooms[name] = r
	}
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		for _, other := range rooms[name].may {
			if _, ok := rooms[other]; !ok && !strings.HasPrefix(other, "std:") {
				return nil, fmt.Errorf("package %s may import %s, which has no row", name, other)
			}
		}
	}
	return rooms, nil
}

// sources is the code of one package without its tests, which may import what
// they need.
type sources struct {
	fset  *token.FileSet
	files []*ast.File
}

// sourcePackages gives every package under services/ and cmd/ by the name the
// table uses. It reads the files itself, rather than ask go list, so that go test
// sees which files the result rests on and does not repeat an old one from its
// cache; and so that files for other platforms count as well.
func sourcePackages(t *testing.T) map[string]sources {
	t.Helper()
	found := make(map[string]sources)
	for _, root := range []string{".", "../cmd"} {
		err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return filepath.SkipDir
			case entry.IsDir(), !strings.HasSuffix(file, ".go"), strings.HasSuffix(file, "_test.go"):
				return nil
			}
			name := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), "../")
			p := found[name]
			if p.fset == nil {
				p.fset = token.NewFileSet()
			}
			parsed, err := parser.ParseFile(p.fset, file, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			p.files = append(p.files, parsed)
			found[name] = p
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) == 0 {
		t.Fatal("no Go files under services/ and cmd/: this test looks in the wrong place")
	}
	return found
}

// forbidden lists the imports of packages of this module that the row does not
// allow.
func (r room) forbidden(p sources) []string {
	var problems []string
	p.eachImport(func(spec *ast.ImportSpec, imported string) {
		local, ok := strings.CutPrefix(imported, module+"/")
		if !ok || r.all || strings.HasPrefix(local, "api/") {
			return
		}
		name := strings.TrimPrefix(local, "services/")
		if !slices.Contains(r.may, name) {
			problems = append(problems, fmt.Sprintf("imports %s, which the table does not allow %s", name, p.at(spec)))
		}
	})
	return problems
}

// outside are the packages that a pure room does without, each with those below
// it. The same list stands in .golangci.yml, which shows a finding as one types.
var outside = []string{
	"context", "crypto/rand", "database/sql", "io/fs", "log", "math/rand", "net", "os", "sync", "syscall",
	"github.com/nats-io", "go.uber.org/zap", "google.golang.org/grpc",
}

// clock are the names of package time that read the machine's clock or zone, or
// wait for it.
var clock = []string{
	"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep", "Local",
}

// impurities lists what in p would make a decision depend on more than its input.
func (r room) impurities(p sources) []string {
	var problems []string
	p.eachImport(func(spec *ast.ImportSpec, imported string) {
		if slices.Contains(r.may, "std:"+imported) {
			return
		}
		for _, banned := range outside {
			if imported == banned || strings.HasPrefix(imported, banned+"/") {
				problems = append(problems, fmt.Sprintf("imports %s %s", imported, p.at(spec)))
			}
		}
		if imported == "time" && spec.Name != nil && spec.Name.Name == "." {
			problems = append(problems, fmt.Sprintf("dot-imports time %s", p.at(spec)))
		}
	})
	for _, file := range p.files {
		timeName := localName(file, "time")
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				problems = append(problems, fmt.Sprintf("starts a goroutine %s", p.at(n)))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && timeName != "" && x.Name == timeName && slices.Contains(clock, n.Sel.Name) {
					problems = append(problems, fmt.Sprintf("uses time.%s %s", n.Sel.Name, p.at(n)))
				}
			}
			return true
		})
	}
	return problems
}

func (p sources) eachImport(visit func(spec *ast.ImportSpec, imported string)) {
	for _, file := range p.files {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				panic(err) // the parser accepts string literals only
			}
			visit(spec, imported)
		}
	}
}

// at gives a place as "(file.go:12)".
func (p sources) at(n ast.Node) string {
	pos := p.fset.Position(n.Pos())
	return fmt.Sprintf("(%s:%d)", filepath.ToSlash(pos.Filename), pos.Line)
}

// localName gives the name by which file knows an import, or "" without one.
func localName(file *ast.File, imported string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != strconv.Quote(imported) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}
