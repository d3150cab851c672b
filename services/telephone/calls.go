package telephone

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/directory/importer"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Columns are those of a file of calls, in the order of the blank form. Every one is required.
func Columns() []string {
	return []string{"agency", "kind", "reference", "organisation", "child", "told", "told_at", "told_by", "verified"}
}

// everyChild stands for every child of an incident.
const everyChild = "all"

// maxCalls bounds one file: a day's calls.
const maxCalls = 2000

// Call is one call as it was written down. The texts are personal data.
type Call struct {
	Line         int64
	ID           string // the same for the same row
	Lineage      string
	Agency       notice.AgencyID
	Kind         notice.EventKind
	Reference    string // of the incident, as its publisher has it
	Organisation notice.OrgID
	Child        notice.ChildID // empty: every child of the incident
	Told         string         // who was told
	ToldAt       time.Time      // to the minute
	ToldBy       string         // who called
	Verified     string         // how the person was verified
}

// Statement is what the vault keeps of a call, for people.
func (c Call) Statement() string {
	return fmt.Sprintf("Incident %s. Told: %s. Called by: %s. Verified: %s.", c.Reference, c.Told, c.ToldBy, c.Verified)
}

// Read reads a file of calls. Where anything is at fault it gives no call and names every fault by line and column
// (notice.Invalid); a fault never repeats a value.
func Read(file []byte, snapshot *directory.Snapshot, key notice.Key, now time.Time) ([]Call, error) {
	const op = "telephone.Read"
	text, err := importer.Text(bytes.NewReader(file))
	if err != nil {
		return nil, notice.InvalidFields(op, []notice.FieldFault{{Field: "file", Message: err.Error()}})
	}
	r := reader{csv: csv.NewReader(strings.NewReader(text)), snapshot: snapshot, key: key, now: now, seen: map[string]int64{}}
	r.csv.FieldsPerRecord = -1
	calls := r.read()
	if len(r.faults) > 0 {
		return nil, notice.InvalidFields(op, r.faults)
	}
	return calls, nil
}

type reader struct {
	csv      *csv.Reader
	snapshot *directory.Snapshot
	key      notice.Key
	now      time.Time

	at     map[string]int // column by name
	seen   map[string]int64
	faults []notice.FieldFault
}

func (r *reader) fault(field, format string, args ...any) {
	r.faults = append(r.faults, notice.FieldFault{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) read() []Call {
	header, err := r.csv.Read()
	if err != nil {
		r.fault("file", "has no line of column names: begin with the blank form of the offline list")
		return nil
	}
	if !r.columns(header) {
		return nil
	}
	var calls []Call
	for {
		cells, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			r.fault(fmt.Sprintf("line %d", bad.StartLine), "a double quote is out of place: put the whole value in double quotes, and double those within it")
			break // what follows cannot be told apart
		}
		n, _ := r.csv.FieldPos(0)
		if len(cells) != len(header) {
			r.fault(fmt.Sprintf("line %d", n), "has %d columns, the first line %d: put a value that holds a comma in double quotes", len(cells), len(header))
			continue
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue // a line of the form that nobody filled in
		}
		calls = append(calls, r.call(int64(n), cells))
		if len(calls) > maxCalls {
			r.fault("file", "has more than %d calls: split it", maxCalls)
			break
		}
	}
	if len(calls) == 0 && len(r.faults) == 0 {
		r.fault("file", "has column names and no calls")
	}
	return calls
}

func (r *reader) columns(header []string) bool {
	r.at = map[string]int{}
	for i, cell := range header {
		name := strings.ToLower(strings.TrimSpace(cell))
		if _, twice := r.at[name]; twice && slices.Contains(Columns(), name) {
			r.fault("line 1", "the column %s is there twice: keep one", name)
		}
		if !slices.Contains(Columns(), name) {
			r.fault("line 1", "column %d is none of this form: it has %s", i+1, strings.Join(Columns(), ", "))
		}
		r.at[name] = i
	}
	for _, name := range Columns() {
		if _, there := r.at[name]; !there {
			r.fault("line 1", "the column %s is missing: add it under exactly this name", name)
		}
	}
	return len(r.faults) == 0
}

// row reads the values of one line.
type row struct {
	*reader
	n     int64
	cells []string
}

func (r row) fault(column, format string, args ...any) {
	r.reader.fault(fmt.Sprintf("line %d, %s", r.n, column), format, args...)
}

// longest is how many characters one value may have.
const longest = 300

func (r row) text(column string) string {
	s := strings.TrimSpace(r.cells[r.at[column]])
	switch {
	case s == "":
		r.fault(column, "is empty: fill it in")
	case utf8.RuneCountInString(s) > longest || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }):
		r.fault(column, "is longer than %d characters, or has a line break: keep it short", longest)
		return ""
	}
	return s
}

func (r *reader) call(n int64, cells []string) Call {
	l := row{reader: r, n: n, cells: cells}
	c := Call{
		Line: n, Agency: l.agency(), Kind: l.kind(), Reference: l.text("reference"), Organisation: l.organisation(), Child: l.child(),
		Told: l.person("told"), ToldAt: l.moment("told_at"), ToldBy: l.person("told_by"), Verified: l.text("verified"),
	}
	c.Lineage = r.key.ID("lineage", string(c.Agency), string(c.Kind), c.Reference)
	c.ID = r.key.ID("call", c.Lineage, string(c.Organisation), string(c.Child), c.ToldAt.UTC().Format(time.RFC3339), c.Told, c.ToldBy, c.Verified)
	if first, twice := r.seen[c.ID]; twice && len(r.faults) == 0 {
		r.fault(fmt.Sprintf("line %d", n), "says the same as line %d: keep one of them", first)
	}
	r.seen[c.ID] = n
	return c
}

func (r row) agency() notice.AgencyID {
	s := r.text("agency")
	if _, ok := r.snapshot.Agency(notice.AgencyID(s)); s != "" && !ok {
		r.fault("agency", "is not an agency that has access: use one that `signalbox agency list` shows")
	}
	return notice.AgencyID(s)
}

func (r row) kind() notice.EventKind {
	s := strings.ToLower(r.text("kind"))
	if s != "" && !slices.Contains(notice.EventKinds(), notice.EventKind(s)) {
		r.fault("kind", "is not a kind of event: give one such as encompass.incident")
	}
	return notice.EventKind(s)
}

func (r row) organisation() notice.OrgID {
	s := r.text("organisation")
	if s == "" {
		return ""
	}
	if id := importer.SettingID(s); id != "" {
		s = id
	}
	_, organisation := r.snapshot.Organisation(notice.OrgID(s))
	_, setting := r.snapshot.Setting(notice.OrgID(s))
	if !organisation && !setting {
		r.fault("organisation", "is not an organisation or setting of the directory: give its id, or a school's URN")
	}
	return notice.OrgID(s)
}

// child is a child of the directory. One whose whereabouts are sealed is answered as one nobody knows.
func (r row) child() notice.ChildID {
	s := r.text("child")
	if s == "" || strings.EqualFold(s, everyChild) {
		return ""
	}
	id := notice.ChildID(s)
	if _, ok := r.snapshot.Child(id); !ok || slices.ContainsFunc(r.snapshot.Restrictions(id), directory.Seals) {
		r.fault("child", "is not a child of the directory: give the id that the directory has, or all")
	}
	return id
}

// person is who somebody is. One without a letter stands in the wrong column.
func (r row) person(column string) string {
	s := r.text(column)
	if s != "" && !strings.ContainsFunc(s, unicode.IsLetter) {
		r.fault(column, "is not a name: give the person's name, or their post")
	}
	return s
}

var (
	isoMoment   = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{1,2}:[0-9]{2})(?::00)?$`)
	sheetMoment = regexp.MustCompile(`^([0-9]{2})/([0-9]{2})/([0-9]{4}) ([0-9]{1,2}:[0-9]{2})(?::00)?$`) // as spreadsheets in the UK save it
)

// moment is a time in the UK, to the minute. Of an hour that comes twice it is the first: a call can only have told of
// less then.
func (r row) moment(column string) time.Time {
	s := r.text(column)
	if s == "" {
		return time.Time{}
	}
	day, clock := "", ""
	if m := isoMoment.FindStringSubmatch(s); m != nil {
		day, clock = m[1]+"-"+m[2]+"-"+m[3], m[4]
	} else if m := sheetMoment.FindStringSubmatch(s); m != nil {
		day, clock = m[3]+"-"+m[2]+"-"+m[1], m[4]
	}
	if len(clock) == 4 {
		clock = "0" + clock
	}
	date, err := directory.ParseDate(day)
	if err != nil || !directory.ValidClock(clock) || clock == "24:00" {
		r.fault(column, "is not a date and time in the UK such as 2026-06-18 19:42: write it so")
		return time.Time{}
	}
	at := date.At(clock)
	switch {
	case at.In(directory.London()).Format("15:04") != clock:
		r.fault(column, "is a time that the clock change skipped: correct it")
	case at.After(r.now):
		r.fault(column, "lies in the future: correct it")
	}
	return at
}
