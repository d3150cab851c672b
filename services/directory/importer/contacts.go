package importer

import (
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

var (
	telephonePattern = regexp.MustCompile(`^\+?[0-9][0-9 ]{5,18}$`)
	hoursPattern     = regexp.MustCompile(`^([A-Za-z, -]+) ([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})$`)
)

// sharedNames are what mailboxes are called that a whole office reads.
var sharedNames = []string{"office", "admin", "info", "enquiries", "contact", "reception", "mail", "school", "secretary", "family"}

func (j *job) readContacts(text string) error {
	cols := columns{
		required: []string{"id", "organisation", "role", "name", "channel", "address", "verified_on"},
		optional: []string{"use", "hours", "shared", "code_address", "from", "until"},
	}
	seen := make(map[RowKey]int64)
	prefix := j.req.Source + "/"
	for _, row := range j.current.Rows(directory.KindContact) {
		if strings.HasPrefix(row.GetContact().GetId(), prefix) {
			j.scope = append(j.scope, row)
		}
	}
	j.absent = j.retire
	return j.table(text, cols, func(l *line) {
		c := l.contact()
		if id := l.id("id"); id != "" {
			c.Id = prefix + id
		}
		l.confirmed(c)
		l.take(directory.ContactRow(c), seen, false)
	})
}

// retire is what becomes of a contact that its list lacks. One that a restriction bars stays, out of use: whom the
// restriction means must still be known when the same person comes back under another id.
func (j *job) retire(row *directoryv1.Row) *directoryv1.Row {
	if !j.barred(row.GetContact().GetId()) {
		return nil
	}
	c := proto.CloneOf(row.GetContact())
	c.VerifiedOn = ""
	if yesterday := directory.DateOf(j.req.Now).AddDays(-1).String(); c.GetUntil() == "" || c.GetUntil() > yesterday {
		c.Until = yesterday
	}
	return directory.ContactRow(c)
}

func (l *line) contact() *directoryv1.Contact {
	c := &directoryv1.Contact{
		Organisation: l.organisation("organisation"), Role: l.token("role"), Name: l.required("name"),
		Channel: l.requiredOneOf("channel", "email", "grpc", "inbox", "telephone"), Address: l.required("address"),
		Use:        l.oneOf("use", "regular", "holiday", "out_of_hours"),
		Hours:      l.hours("hours"),
		VerifiedOn: l.pastDate("verified_on"), Shared: l.yes("shared"), CodeAddress: l.text("code_address"),
	}
	c.From, c.Until = l.span("from", "until")
	if c.GetAddress() == "" {
		return c
	}
	switch c.GetChannel() {
	case "email":
		if !emailAddress(c.GetAddress()) {
			l.fault("address", "is not an email address: give one address without a name")
		} else if local, _, _ := strings.Cut(strings.ToLower(c.GetAddress()), "@"); !c.GetShared() && slices.Contains(sharedNames, local) {
			l.fault("shared", "the address looks like a mailbox that several read: say yes and give a code_address, or give a person's address")
		}
	case "grpc":
		if host, port, err := net.SplitHostPort(c.GetAddress()); err != nil || host == "" || port == "" {
			l.fault("address", "is not host:port")
		}
	case "inbox":
		if !l.j.current.ActsFor(c.GetAddress(), c.GetOrganisation()) {
			l.fault("address", "is not the id of an agency that acts for the organisation: see `signalbox agency list`")
		}
	case "telephone":
		if !telephonePattern.MatchString(c.GetAddress()) {
			l.fault("address", "is not a telephone number of digits and spaces")
		}
	}
	switch {
	case c.GetCodeAddress() != "" && !emailAddress(c.GetCodeAddress()):
		l.fault("code_address", "is not an email address: give one person's")
	case c.GetShared() && c.GetChannel() == "email" && c.GetCodeAddress() == "":
		l.fault("code_address", "is empty: a shared mailbox needs one person's address for the code")
	case c.GetCodeAddress() != "" && strings.EqualFold(c.GetCodeAddress(), c.GetAddress()):
		l.fault("code_address", "is the mailbox itself: give one person's address")
	}
	return c
}

// confirmed holds an address that changes to a new confirmation: someone may have changed the file, not the contact.
// The directory does not remember a confirmation that it dropped, so the row is refused, not taken without one:
// otherwise the same file, read a second time, would confirm the address by itself.
func (l *line) confirmed(c *directoryv1.Contact) {
	row, ok := l.j.current.Row(directory.KindContact, c.GetId())
	if !ok || c.GetVerifiedOn() == "" || !readdressed(row.GetContact(), c) {
		return
	}
	if c.GetVerifiedOn() <= row.GetContact().GetVerifiedOn() {
		l.fault("verified_on", "the address changed and was not confirmed since: ask the person at it, and give the date of the answer, or leave the date empty until then; the contact stays as it was")
	}
}

func emailAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && !strings.ContainsAny(s, "\r\n\t \"")
}

var dayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// hours reads spans such as `Mon-Fri 08:00-16:30; Sat,Sun 10:00-12:00`.
func (l *line) hours(column string) []*directoryv1.Hours {
	s := l.text(column)
	if s == "" {
		return nil
	}
	var out []*directoryv1.Hours
	for _, part := range strings.Split(s, ";") {
		m := hoursPattern.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil || !directory.ValidClock(m[2]) || !directory.ValidClock(m[3]) || m[2] == m[3] || m[2] == "24:00" {
			l.fault(column, "is not days and a span of time, such as Mon-Fri 08:00-16:30; Sat 10:00-12:00")
			return nil
		}
		days := weekdays(m[1])
		if days == nil {
			l.fault(column, "names no days: use Mon, Tue, Wed, Thu, Fri, Sat, Sun, with - for a span and , between")
			return nil
		}
		out = append(out, &directoryv1.Hours{Days: days, From: m[2], Until: m[3]})
	}
	return out
}

// weekdays reads `Mon-Fri,Sun` as 1 to 5 and 7; nothing where it cannot.
func weekdays(s string) []int32 {
	var days []int32
	for _, part := range strings.Split(strings.ToLower(s), ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		from := slices.Index(dayNames, strings.TrimSpace(first))
		to := from
		if ranged {
			to = slices.Index(dayNames, strings.TrimSpace(last))
		}
		if from < 0 || to < from {
			return nil
		}
		for d := from; d <= to; d++ {
			days = append(days, int32(d+1))
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}
