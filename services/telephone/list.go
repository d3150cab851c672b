package telephone

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Standing is a notice that no person has yet.
type Standing struct {
	Notice       string
	Agency       notice.AgencyID
	Kind         notice.EventKind
	Reference    string // of the incident; empty where it can no longer be read
	Organisation notice.OrgID
	Children     []notice.ChildID // that it tells of
	Owner        notice.OrgID     // who has its task, or empty
	LastResort   notice.OrgID     // the end of its chain
	Due          time.Time
}

// List is what people need to make the calls while the system is down.
//
// It names the notices that nobody has, without a child. Of a child whose whereabouts are sealed there is no line at
// all; where any other restriction is on a child, the line names the organisation at the end of the notice's chain,
// which knows the case, as it does for every notice that has come to its end: a caller must not telephone somebody who is
// barred, and the line must not say that somebody is.
type List struct {
	made     time.Time
	instance string
	contacts [][]string
	open     [][]string
}

// NewList makes the list of an instant.
func NewList(snapshot *directory.Snapshot, standing []Standing, instance string, now time.Time) List {
	l := List{made: now, instance: instance}
	for _, org := range organisations(snapshot) {
		l.contacts = append(l.contacts, contacts(snapshot, org, now)...)
	}
	slices.SortFunc(standing, func(a, b Standing) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Notice, b.Notice)) })
	for _, s := range standing {
		if call := whom(snapshot, s); call != "" {
			l.open = append(l.open, []string{
				notice.Reference(s.Notice), string(s.Agency), string(s.Kind), s.Reference, string(call), snapshot.Name(call),
				s.Due.In(directory.London()).Format("2006-01-02 15:04"),
			})
		}
	}
	return l
}

// whom says whom to telephone about a notice; nobody where it must not be listed.
func whom(snapshot *directory.Snapshot, s Standing) notice.OrgID {
	call := cmp.Or(s.Owner, s.Organisation)
	for _, child := range s.Children {
		for _, r := range snapshot.Restrictions(child) {
			if directory.Seals(r) || r.GetTarget() == "" {
				return ""
			}
			call = cmp.Or(s.Owner, s.LastResort)
		}
	}
	for _, child := range s.Children {
		for _, r := range snapshot.Restrictions(child) {
			if touches(snapshot, r, call) {
				return ""
			}
		}
	}
	return call
}

// touches says whether a restriction bars an organisation, its area or one of its people.
func touches(snapshot *directory.Snapshot, r *directoryv1.Restriction, org notice.OrgID) bool {
	if c, ok := snapshot.Row(directory.KindContact, r.GetTarget()); ok {
		return c.GetContact().GetOrganisation() == string(org)
	}
	return r.GetTarget() == string(org) || within(snapshot, org, r.GetTarget())
}

// within says whether an organisation lies in an area, or in a police area.
func within(snapshot *directory.Snapshot, id notice.OrgID, area string) bool {
	in := ""
	if s, ok := snapshot.Setting(id); ok {
		in = s.GetArea()
	} else if o, ok := snapshot.Organisation(id); ok {
		in = o.GetArea()
	}
	a, _ := snapshot.Area(notice.Area(in))
	return in != "" && (in == area || a.GetPoliceArea() != "" && a.GetPoliceArea() == area)
}

// organisations lists organisations and settings that have a contact, by name.
func organisations(snapshot *directory.Snapshot) []notice.OrgID {
	var ids []notice.OrgID
	for _, row := range snapshot.Rows(directory.KindContact) {
		ids = append(ids, notice.OrgID(row.GetContact().GetOrganisation()))
	}
	slices.SortFunc(ids, func(a, b notice.OrgID) int {
		return cmp.Or(cmp.Compare(snapshot.Name(a), snapshot.Name(b)), cmp.Compare(a, b))
	})
	return slices.Compact(ids)
}

type person struct{ role, name, use string }

func personOf(c *directoryv1.Contact) person {
	return person{role: c.GetRole(), name: c.GetName(), use: c.GetUse()}
}

// contacts has a line for each person of an organisation in each role, with the numbers that any of their rows has, and
// when the person is on duty.
func contacts(snapshot *directory.Snapshot, org notice.OrgID, now time.Time) [][]string {
	today := directory.DateOf(now)
	duty := onDuty(snapshot, org, now)
	numbers := map[string][]*directoryv1.Contact{} // by folded name: a mailbox and a telephone are two rows of one person
	var people []person
	for _, c := range snapshot.Contacts(org) {
		if !directory.InUse(c, today) {
			continue
		}
		p := personOf(c)
		if c.GetChannel() == "telephone" {
			numbers[directory.FoldName(p.name)] = append(numbers[directory.FoldName(p.name)], c)
		}
		if !slices.Contains(people, p) {
			people = append(people, p)
		}
	}
	slices.SortFunc(people, func(a, b person) int {
		return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.use, b.use), cmp.Compare(a.name, b.name))
	})
	var lines [][]string
	for _, p := range people {
		var dial, confirmed []string
		for _, c := range numbers[directory.FoldName(p.name)] {
			dial = append(dial, c.GetAddress())
			confirmed = append(confirmed, cmp.Or(c.GetVerifiedOn(), "not confirmed"))
		}
		lines = append(lines, []string{
			string(org), snapshot.Name(org), p.role, p.name, p.use, strings.Join(dial, "; "), strings.Join(confirmed, "; "), duty[p],
		})
	}
	return lines
}

// listed is how far ahead a list says who is on duty: it is made every hour, and may be the last for a day.
const listed = 24 * time.Hour

// onDuty says when each person of an organisation is on duty in the time ahead, by the answer that sending goes by.
func onDuty(snapshot *directory.Snapshot, org notice.OrgID, now time.Time) map[person]string {
	type stint struct {
		from, until time.Time
		why         string
	}
	stints := map[person][]stint{}
	for _, role := range snapshot.Roles(org) {
		for _, span := range snapshot.Spans(org, role, directory.UseEvery, now, now.Add(listed)) {
			at := map[person]bool{} // a person's mailbox and telephone are on duty together
			for _, turn := range span.Duty.Turns {
				p := personOf(turn.Contact)
				if !turn.OnDuty() || at[p] || !directory.InUse(turn.Contact, directory.DateOf(span.From)) {
					continue
				}
				at[p] = true
				s := stint{span.From, span.Until, "by hours"}
				if turn.OnShift() {
					s.why = "on the rota"
				}
				if last := len(stints[p]) - 1; last >= 0 && stints[p][last].until.Equal(s.from) && stints[p][last].why == s.why {
					stints[p][last].until = s.until
					continue
				}
				stints[p] = append(stints[p], s)
			}
		}
	}
	texts := make(map[person]string, len(stints))
	for p, all := range stints {
		var words []string
		for _, s := range all {
			words = append(words, fmt.Sprintf("%s to %s %s", dutyTime(s.from), dutyTime(s.until), s.why))
		}
		if len(all) == 1 && all[0].until.Sub(all[0].from) == listed && all[0].why == "by hours" {
			words = []string{"at any time"}
		}
		texts[p] = strings.Join(words, "; ")
	}
	return texts
}

func dutyTime(t time.Time) string { return t.In(directory.London()).Format("Mon 15:04") }

// The parts of a list, as `signalbox offline open --part` names them.
const (
	PartContacts = "contacts"
	PartOpen     = "open"
	PartForm     = "form"
)

// Parts lists them.
func Parts() []string { return []string{PartContacts, PartOpen, PartForm} }

// heading of a part: it stands on a line of its own, and an empty line ends the part.
func heading(part string) string {
	switch part {
	case PartContacts:
		return "== WHOM TO CALL =="
	case PartOpen:
		return "== NOTICES THAT NOBODY HAD =="
	default:
		return "== FORM FOR CALLS =="
	}
}

// Text is the list for people, in parts that are CSV.
func (l List) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, `OFFICIAL-SENSITIVE
Signalbox: offline list, made %s by %s

Call the numbers below and no others: do not take a number from the person who rings you. Say who you are, have the person
named called to the telephone, and tell them what the agency that reported the incident says. Write each call into the form,
one line for each organisation; child is all unless you told of one child only. When the system is back:
signalbox telephone import calls.csv --dry-run

`, l.made.In(directory.London()).Format("Mon 2 Jan 2006 15:04 MST"), l.instance)
	part(&b, PartContacts, []string{"organisation", "name", "role", "person", "use", "telephone", "confirmed_on", "on_duty"}, l.contacts)
	part(&b, PartOpen, []string{"notice", "agency", "kind", "reference", "organisation", "name", "due"}, l.open)
	part(&b, PartForm, Columns(), nil)
	return b.String()
}

func part(b *strings.Builder, name string, columns []string, lines [][]string) {
	fmt.Fprintln(b, heading(name))
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	_ = w.Write(columns) // into memory: it cannot fail
	for _, cells := range lines {
		plain := make([]string, len(cells))
		for i, c := range cells {
			plain[i] = strings.Join(strings.Fields(c), " ") // a line break would end the part
			if plain[i] != "" && strings.ContainsRune("=+-@", rune(plain[i][0])) && !number(plain[i]) {
				plain[i] = "'" + plain[i] // a spreadsheet would take it for a formula
			}
		}
		_ = w.Write(plain)
	}
	w.Flush()
	b.Write(table.Bytes())
	b.WriteByte('\n')
}

// number says whether a text is a telephone number, or several.
func number(s string) bool {
	return strings.Trim(s, "+0123456789; ") == ""
}

// Part takes one part out of the text of a list, as CSV.
func Part(text, name string) (string, bool) {
	_, after, found := strings.Cut(text, heading(name)+"\n")
	if !found {
		return "", false
	}
	table, _, _ := strings.Cut(after, "\n\n")
	return strings.TrimRight(table, "\n") + "\n", true
}
