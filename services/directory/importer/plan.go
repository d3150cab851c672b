package importer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The formats, as docs/formats.md describes them.
const (
	GIAS          = "gias"
	GIASLinks     = "gias-links"
	BankHolidays  = "bank-holidays"
	Areas         = "areas"
	Organisations = "organisations"
	TermDates     = "term-dates"
	PupilRoll     = "pupil-roll"
	Contacts      = "contacts"
	Restrictions  = "restrictions"
	ONSPD         = "onspd"
	Ofsted        = "ofsted"
	ODS           = "ods"
	Network       = "network"
	Rota          = "rota"
	Subscriptions = "subscriptions"
)

// Formats lists the formats in the order in which to import them: each refers to those before it.
func Formats() []string {
	return []string{
		Areas, Organisations, ONSPD, GIAS, GIASLinks, Ofsted, ODS, BankHolidays, TermDates, PupilRoll, Network, Contacts, Rota, Restrictions,
		Subscriptions,
	}
}

// The guard: more than a tenth of the rows that a file stands for, and more than five, are removed, closed, re-addressed
// or moved by force only.
const (
	guardShare = 10
	guardRows  = 5
)

// maxChanges is how many changes a Result lists.
const maxChanges = 200

// Request says what to import.
type Request struct {
	Format string // one of Formats
	Name   string // of the file, for messages
	Source string // whose rows they are, for a pupil roll, a network or contacts; the report, for ods
	Owner  string // whose an iCalendar file is: an organisation, a setting, or an authority's GSS code
	Role   string // of a rota in iCalendar
	Force  bool   // also beyond the guard
	Now    time.Time
	Key    notice.Key // for the ids of children

	// Told says whether the policy in force tells subscribers of any of some kinds of event on a basis; no kinds are all of
	// them; Listed whether it grants the list of children missing on a basis. Where they are nil subscriptions are not held
	// against a policy.
	Told   func(basis string, kinds []string) bool
	Listed func(basis string) bool
}

// RowKey names a row of the directory.
type RowKey struct{ Kind, ID string }

// Result is what an import changes.
type Result struct {
	Puts    []*directoryv1.Row // added and changed, by kind and id
	Deletes []RowKey
	Faults  []*directoryv1.RowFault // bad rows, by line
	// Rows of the file read; rows of the directory added, changed, removed (or, of a child, taken off this roll) and
	// left as they were; contacts whose address changed, or that a new one comes before.
	Read, Added, Changed, Removed, Unchanged, Readdressed int64
	Changes                                               []string // a line each, ids only; at most 200
}

// Plan compares a file with the current directory. It reads data to its end, and calls progress, unless nil, with the
// number of rows read now and then and at the end.
//
// A file that is bad as a whole is a fault of kind Invalid that says what to mend; one that removes or re-addresses too
// much is of kind Precondition and says how many, and how to go on.
func Plan(req Request, data io.Reader, current *directory.Snapshot, progress func(read int64)) (*Result, error) {
	if progress == nil {
		progress = func(int64) {}
	}
	if req.Format == ONSPD {
		return readPostcodes(req, data, current, progress)
	}
	j := newJob(req, current, progress)
	read, err := j.reader()
	if err != nil {
		return nil, err
	}
	text, err := decode(data, slices.Contains([]string{GIAS, GIASLinks, Ofsted, ODS}, req.Format), encodingRemedy(req.Format))
	if err != nil {
		return nil, j.refuse(err)
	}
	if err := read(text); err != nil {
		return nil, j.refuse(err)
	}
	progress(j.res.Read)
	if err := j.shifted(); err != nil {
		return nil, j.refuse(err)
	}
	if err := j.diff(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(j.res.Faults, func(a, b *directoryv1.RowFault) int { return int(a.GetLine() - b.GetLine()) })
	return j.res, nil
}

func newJob(req Request, current *directory.Snapshot, progress func(int64)) *job {
	return &job{
		req: req, current: current, progress: progress, res: &Result{},
		want: make(map[RowKey]*directoryv1.Row), keep: make(map[RowKey]bool), drop: make(map[RowKey]bool), merged: make(map[RowKey]bool),
		failed: make(map[string]int64), firstFailed: make(map[string]int64),
	}
}

// job is one import under way. A reader fills want, keep, drop and scope; diff turns them into the result.
type job struct {
	req      Request
	current  *directory.Snapshot
	progress func(int64)
	res      *Result

	want   map[RowKey]*directoryv1.Row // as the file has it
	keep   map[RowKey]bool             // bad in the file: stays as it is
	drop   map[RowKey]bool             // the file says to remove it
	merged map[RowKey]bool             // gone into another row: not a removal
	scope  []*directoryv1.Row          // current rows that the file stands for: those it lacks are removed
	total  int                         // rows for the guard, where there is no scope
	unread int64                       // bad rows without a readable id: any current row may be theirs
	shut   int64                       // settings that are open now and would be no more
	moved  int64                       // children who are at none of the places that this roll gave before; shifts that are another's

	// absent is what becomes of a row of scope that the file lacks: what it becomes, or nil to delete it.
	absent func(*directoryv1.Row) *directoryv1.Row

	failed      map[string]int64 // rows by bad column
	firstFailed map[string]int64 // their first lines
}

func (j *job) reader() (func(text string) error, error) {
	readers := map[string]func(string) error{
		GIAS: j.readGIAS, GIASLinks: j.readLinks, BankHolidays: j.readBankHolidays, Areas: j.readAreas,
		Organisations: j.readOrganisations, TermDates: j.readTermDates, PupilRoll: j.readRoll, Contacts: j.readContacts,
		Restrictions: j.readRestrictions, Network: j.readNetwork, Ofsted: j.readOfsted, ODS: j.readODS, Rota: j.readRota,
		Subscriptions: j.readSubscriptions,
	}
	read, ok := readers[j.req.Format]
	if !ok {
		return nil, notice.Faultf(notice.Invalid, "importer.Plan", "there is no such format: use one of %s", strings.Join(Formats(), ", "))
	}
	if slices.Contains([]string{PupilRoll, Contacts, Network}, j.req.Format) {
		if _, err := notice.ParseAgencyID(j.req.Source); err != nil {
			return nil, notice.Faultf(notice.Invalid, "importer.Plan",
				"the format %s needs a source: 2 to 39 lower-case letters, digits and hyphens that name where the rows come from, the same each time", j.req.Format)
		}
	}
	return read, nil
}

// refuse names the file in a fault about the whole of it. A fault that is classified already stays as it is.
func (j *job) refuse(err error) error {
	if notice.KindOf(err) != notice.Internal {
		return err
	}
	name := j.req.Name
	if name == "" {
		name = "the file"
	}
	return notice.Fault(notice.Invalid, "importer.Plan", fmt.Errorf("%s: %w; nothing was taken", name, err))
}

// shifted refuses a file one of whose columns is bad in so many rows that its values probably stand in the wrong
// columns: then the rows that happen to look right are not to be trusted either.
func (j *job) shifted() error {
	for _, column := range sortedKeys(j.failed) {
		n := j.failed[column]
		if column == "" {
			continue // the row as a whole: no value stands in a wrong column
		}
		if n > max(guardRows-1, j.res.Read/20) || n == j.res.Read && n > 1 {
			return fmt.Errorf("column %s is wrong in %d of %d rows, first in line %d (%s): its columns may be shifted or of another form; compare the column names with the values under them",
				column, n, j.res.Read, j.firstFailed[column], j.messageOf(column))
		}
	}
	return nil
}

func (j *job) messageOf(column string) string {
	for _, f := range j.res.Faults {
		if f.GetColumn() == column {
			return f.GetMessage()
		}
	}
	return ""
}

// diff compares what the file wants with the current directory.
func (j *job) diff() error {
	for _, key := range sortedRowKeys(j.want) {
		row := j.want[key]
		before, ok := j.current.Row(key.Kind, key.ID)
		switch {
		case !ok:
			j.res.Added++
			if j.displaces(row.GetContact()) {
				j.res.Readdressed++
			}
			j.put("add", key, row)
		case proto.Equal(before, row):
			j.res.Unchanged++
		default:
			j.res.Changed++
			verb := "change"
			if readdressed(before.GetContact(), row.GetContact()) {
				j.res.Readdressed++
				verb = "re-address"
			}
			if today := directory.DateOf(j.req.Now); directory.OpenOn(before.GetSetting(), today) && !directory.OpenOn(row.GetSetting(), today) {
				j.shut++
				verb = "close"
			}
			j.put(verb, key, row)
		}
	}
	for _, key := range sortedRowKeys(j.drop) {
		if _, ok := j.current.Row(key.Kind, key.ID); ok {
			if !j.merged[key] {
				j.res.Removed++
			}
			j.remove(key)
		}
	}
	j.removeAbsent()
	return j.guard()
}

func (j *job) removeAbsent() {
	held := 0
	for _, row := range j.scope {
		kind, id := directory.KeyOf(row)
		key := RowKey{kind, id}
		if _, ok := j.want[key]; ok || j.keep[key] || j.drop[key] {
			continue
		}
		if j.unread > 0 {
			held++
			continue
		}
		var rest *directoryv1.Row
		if j.absent != nil {
			rest = j.absent(row)
		}
		switch {
		case rest == nil:
			j.res.Removed++
			j.remove(key)
		case proto.Equal(rest, row): // it was taken off before
			j.res.Unchanged++
		default:
			j.res.Removed++
			j.put("take off this list", key, rest)
		}
	}
	if held > 0 {
		j.change(fmt.Sprintf("nothing removed: %d rows are not in the file, but it has %d rows whose id cannot be read", held, j.unread))
	}
}

func (j *job) guard() error {
	total := max(len(j.scope), j.total)
	gone := j.res.Removed + j.res.Readdressed + j.shut + j.moved
	if j.req.Force || gone <= max(guardRows, int64(total)/guardShare) {
		return nil
	}
	return notice.Faultf(notice.Precondition, "importer.Plan",
		"the import would remove %d, close %d, re-address %d and move %d of %d rows, more than %d%%: check that the file is whole and its columns are right, then import it with --force; nothing was taken",
		j.res.Removed, j.shut, j.res.Readdressed, j.moved, total, 100/guardShare)
}

func (j *job) put(verb string, key RowKey, row *directoryv1.Row) {
	j.res.Puts = append(j.res.Puts, row)
	j.change(verb + " " + key.Kind + " " + key.ID)
}

func (j *job) remove(key RowKey) {
	j.res.Deletes = append(j.res.Deletes, key)
	j.change("remove " + key.Kind + " " + key.ID)
}

func (j *job) change(line string) {
	if len(j.res.Changes) < maxChanges {
		j.res.Changes = append(j.res.Changes, line)
	}
}

// displaces says whether a new contact would be told before one that is told now: of one role the first by id is.
func (j *job) displaces(c *directoryv1.Contact) bool {
	return slices.ContainsFunc(j.current.Contacts(notice.OrgID(c.GetOrganisation())), func(now *directoryv1.Contact) bool {
		return now.GetRole() == c.GetRole() && now.GetUse() == c.GetUse() && now.GetId() > c.GetId() &&
			now.GetVerifiedOn() != "" && directory.InUse(now, directory.DateOf(j.req.Now))
	})
}

// readdressed says whether what is sent to a contact would go somewhere else, or what is sent to an organisation would
// now come to it: a column that slipped by a row moves a town's notices to its neighbours without changing an address. A
// mailbox that several read and that is no longer said to be one would get the codes as well.
func readdressed(before, after *directoryv1.Contact) bool {
	return before.GetAddress() != after.GetAddress() || before.GetChannel() != after.GetChannel() ||
		before.GetCodeAddress() != after.GetCodeAddress() || before.GetOrganisation() != after.GetOrganisation() ||
		before.GetShared() && !after.GetShared()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func sortedRowKeys[V any](m map[RowKey]V) []RowKey {
	keys := make([]RowKey, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b RowKey) int {
		if c := strings.Compare(a.Kind, b.Kind); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return keys
}
