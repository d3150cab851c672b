package cli

import (
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// printRows writes a line for each row.
func printRows(w io.Writer, rows []*directoryv1.Row) error {
	t := newTable(w, "KIND", "ID", "IS")
	for _, row := range rows {
		kind, id := directory.KeyOf(row)
		t.row(kind, id, rowText(row))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, plural(int64(len(rows)), "row", "rows"))
	return err
}

// rowText is what a row is, in one line.
func rowText(row *directoryv1.Row) string {
	switch r := row.GetRow().(type) {
	case *directoryv1.Row_Area:
		return listed(r.Area.GetName(), words(r.Area.GetKind()), orNothing("police area ", r.Area.GetPoliceArea()))
	case *directoryv1.Row_Organisation:
		return listed(r.Organisation.GetName(), words(r.Organisation.GetKind()), r.Organisation.GetArea())
	case *directoryv1.Row_Setting:
		return listed(r.Setting.GetName(), words(r.Setting.GetKind()), r.Setting.GetStatus(), r.Setting.GetArea())
	case *directoryv1.Row_Contact:
		c := r.Contact
		confirmed := "NOT CONFIRMED: gets nothing"
		if c.GetVerifiedOn() != "" {
			confirmed = "confirmed " + c.GetVerifiedOn()
		}
		return listed(c.GetName(), words(c.GetRole())+" of "+c.GetOrganisation(), c.GetChannel()+" "+c.GetAddress(), words(c.GetUse()), confirmed)
	case *directoryv1.Row_Calendar:
		return listed(plural(int64(len(r.Calendar.GetTerms())), "term", "terms"), plural(int64(len(r.Calendar.GetInsetDays())), "INSET day", "INSET days"))
	case *directoryv1.Row_Rota:
		return listed(plural(int64(len(r.Rota.GetShifts())), "shift", "shifts"), plural(int64(len(r.Rota.GetSwaps())), "swap", "swaps"))
	case *directoryv1.Row_BankHolidays:
		return plural(int64(len(r.BankHolidays.GetDates())), "date", "dates")
	case *directoryv1.Row_Child:
		var places []string
		for _, e := range r.Child.GetEnrolments() {
			places = append(places, strings.TrimSpace(words(e.GetKind())+" "+e.GetSetting()+e.GetArea()))
		}
		return listed(r.Child.GetGiven()+" "+r.Child.GetFamily(), "born "+r.Child.GetDateOfBirth(), strings.Join(places, "; "))
	case *directoryv1.Row_Restriction:
		return listed(words(r.Restriction.GetKind()), "child "+r.Restriction.GetChild(), r.Restriction.GetTarget(), orNothing("review ", r.Restriction.GetReviewOn()))
	case *directoryv1.Row_Agency:
		return listed("acts for "+r.Agency.GetOrganisation(), agencyKinds(r.Agency))
	case *directoryv1.Row_Subscription:
		return subscriptionText(r.Subscription)
	case *directoryv1.Row_Policy:
		if r.Policy.GetInForce() {
			return "in force"
		}
		return "was in force"
	case *directoryv1.Row_NetworkMember:
		m := r.NetworkMember
		return listed(words(m.GetFunction())+" of child "+m.GetChild(), m.GetOrganisation(), words(m.GetRole()),
			orNothing("from ", m.GetFrom()), orNothing("until ", m.GetUntil()))
	case *directoryv1.Row_Postcode:
		var areas []string
		for _, g := range r.Postcode.GetGroups() {
			areas = append(areas, listed(g.GetAuthority(), g.GetHealthArea()))
		}
		return strings.Join(areas, "; ")
	default:
		return "of a kind that this program does not know: it is older than the service"
	}
}

func agencyKinds(a *directoryv1.Agency) string {
	if len(a.GetKinds()) == 0 {
		return "every kind"
	}
	return strings.Join(a.GetKinds(), ", ")
}

func listed(parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, ", ")
}

// printRow writes every field of a row.
func printRow(w io.Writer, row *directoryv1.Row) {
	kind, id := directory.KeyOf(row)
	p := page{w: w}
	p.line(0, "%s %s", kind, id)
	m := row.ProtoReflect()
	if field := m.WhichOneof(m.Descriptor().Oneofs().ByName("row")); field != nil {
		printMessage(p, 2, m.Get(field).Message())
	}
}

func printMessage(p page, indent int, m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		switch {
		case !m.Has(field):
		case field.IsList() && field.Message() != nil:
			p.line(indent, "%s:", field.Name())
			for j := range m.Get(field).List().Len() {
				p.line(indent+2, "%d.", j+1)
				printMessage(p, indent+4, m.Get(field).List().Get(j).Message())
			}
		case field.IsList():
			var all []string
			for j := range m.Get(field).List().Len() {
				all = append(all, m.Get(field).List().Get(j).String())
			}
			p.line(indent, "%s: %s", field.Name(), strings.Join(all, ", "))
		case field.Message() != nil:
			p.line(indent, "%s:", field.Name())
			printMessage(p, indent+2, m.Get(field).Message())
		case field.Kind() == protoreflect.BytesKind: // packed, for programs
			p.line(indent, "%s: %d bytes", field.Name(), len(m.Get(field).Bytes()))
		default:
			for j, text := range strings.Split(strings.TrimRight(m.Get(field).String(), "\n"), "\n") {
				if j == 0 {
					text = fmt.Sprintf("%s: %s", field.Name(), text)
				}
				p.line(indent, "%s", text)
			}
		}
	}
}
