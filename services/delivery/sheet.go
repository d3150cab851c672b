package delivery

import (
	"fmt"
	"strings"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Sheet is a notice laid out for reading: what mail and page both show. Every text in it is free of control characters.
type Sheet struct {
	Title        string
	Reference    string // for people: ABCD-EFGH-JKMN
	Organisation string
	Correction   string // what this version replaces, or empty
	Repeated     string // what this notice says again, or empty
	Due          string // "08:30 on Friday 20 November 2026 (GMT)", or empty
	DueShort     string // "08:30 Fri 20 Nov (GMT)", or empty
	Acknowledge  bool
	Invitation   bool // to a meeting: it is answered rather than acknowledged
	Because      string
	Basis        string
	Do           []string
	DoNot        []string
	Parts        []Part // the child, then each event
}

// Part is one block of a sheet.
type Part struct {
	Heading string
	Rows    []Row
	Texts   []Text
	Lists   []List
}

// Row is a label and its value on one line.
type Row struct{ Label, Value string }

// Text is free text under a heading.
type Text struct {
	Heading    string
	Paragraphs []string
}

// List is items under a heading.
type List struct {
	Heading string
	Items   []string
}

// Lay lays a notice out. Names are looked up with names; places says whether addresses may be shown, which they never
// may in an email.
func Lay(n *noticev1.Notice, names func(notice.OrgID) string, places bool) Sheet {
	s := Sheet{
		Title:        title(n),
		Reference:    notice.Reference(n.GetId()),
		Organisation: line(names(notice.OrgID(n.GetOrganisation()))),
		Acknowledge:  n.GetAcknowledge(),
		Invitation:   n.GetInvitation(),
		Because:      line(n.GetBecause()),
		Basis:        line(n.GetBasis()),
		Do:           n.GetDo(),
		DoNot:        n.GetDoNot(),
	}
	if n.GetOrganisation() == string(EventOrganisation) {
		s.Organisation = ""
	}
	if n.GetReplaces() != "" {
		s.Correction = fmt.Sprintf("Version %d: replaces the notice %s. Use this one only.", n.GetVersion(), notice.Reference(n.GetReplaces()))
	}
	if n.GetRepeats() != "" {
		s.Repeated = fmt.Sprintf("Sent again: an operator of Signalbox asked for it. It says again what the notice %s said. It is not a new incident.", notice.Reference(n.GetRepeats()))
	}
	if n.GetDue() != nil {
		s.Due = LongTime(n.GetDue().AsTime(), directory.London())
		s.DueShort = ShortTime(n.GetDue().AsTime(), directory.London())
	}
	l := layer{names: names, places: places, apart: toOfficer(n)}
	var before []Row
	for i, ev := range n.GetEvents() {
		if rows := l.child(ev); len(rows) > 0 && !equalRows(rows, before) {
			s.Parts = append(s.Parts, Part{Heading: childHeading(i, n), Rows: rows})
			before = rows
		}
		part := l.event(ev)
		part.Heading = eventHeading(i, n)
		s.Parts = append(s.Parts, part)
	}
	return s
}

func title(n *noticev1.Notice) string {
	what, count := kindTitle(notice.EventKind(n.GetKind())), len(n.GetEvents())
	switch {
	case toOfficer(n):
		return positionTitle
	case n.GetKind() == string(notice.ReferralDecided) && !tellsDecision(n):
		return "Your referral has been dealt with"
	case count < 2:
		return what
	case n.GetKind() == string(notice.EncompassIncident):
		return fmt.Sprintf("Operation Encompass: %d domestic abuse incidents", count)
	default:
		return fmt.Sprintf("%s (%d)", what, count)
	}
}

// tellsDecision says whether the recipient may see what became of a referral.
func tellsDecision(n *noticev1.Notice) bool {
	for _, ev := range n.GetEvents() {
		if ev.GetReferralDecided().GetDecision() != eventv1.ReferralDecision_REFERRAL_DECISION_UNSPECIFIED {
			return true
		}
	}
	return false
}

func kindTitle(k notice.EventKind) string {
	switch k {
	case notice.EncompassIncident:
		return "Operation Encompass: domestic abuse incident"
	case notice.ReferralReceived:
		return "Referral received"
	case notice.ReferralDecided:
		return "Decision on a referral"
	case notice.StrategyMeetingConvened:
		return "Strategy meeting called"
	case notice.StrategyMeetingConcluded:
		return "Outcome of a strategy meeting"
	case notice.EnquiryConcluded:
		return "Outcome of a child protection enquiry"
	case notice.ConferenceConcluded:
		return "Outcome of a child protection conference"
	case notice.VulnerablePersonNoticeRaised:
		return "Vulnerable person notice"
	case notice.MissingReported:
		return "A child is missing"
	case notice.MissingFound:
		return "A missing child was found"
	case notice.ReturnInterviewCompleted:
		return "Return interview of a child who was missing"
	case notice.PoliceProtectionExercised:
		return "A child was taken into police protection"
	case notice.PoliceProtectionEnded:
		return "Police protection of a child has ended"
	case notice.CustodyDetained:
		return "A child is detained by police"
	case notice.CustodyReleased:
		return "Police detention of a child has ended"
	case notice.PlacementNotified, notice.ResponsibilityAccepted, notice.ProtectionPlanStarted, notice.ProtectionPlanEnded,
		notice.MedicalRequested, notice.MedicalConcluded, notice.EnrolmentChanged:
		return careKinds()[k].title
	case notice.DeletionRequest:
		return "Please delete a notice that was sent to you"
	case notice.EventWithdrawn, notice.Manifest: // nobody is told
		return "Safeguarding notice"
	default:
		return "Safeguarding notice"
	}
}

func childHeading(i int, n *noticev1.Notice) string {
	if i == 0 || len(n.GetEvents()) == 1 {
		return "The child"
	}
	return fmt.Sprintf("The child, as given with report %d", i+1)
}

func eventHeading(i int, n *noticev1.Notice) string {
	heading := "What happened"
	switch notice.EventKind(n.GetKind()) {
	case notice.EncompassIncident:
	case notice.ReferralReceived, notice.ReferralDecided:
		heading = "The referral"
	case notice.StrategyMeetingConvened, notice.StrategyMeetingConcluded:
		heading = "The meeting"
	case notice.EnquiryConcluded:
		heading = "The enquiry"
	case notice.ConferenceConcluded:
		heading = "The conference"
	case notice.VulnerablePersonNoticeRaised:
		heading = "The concern"
	case notice.MissingReported, notice.MissingFound:
	case notice.ReturnInterviewCompleted:
		heading = "The interview"
	case notice.PoliceProtectionExercised, notice.PoliceProtectionEnded:
		heading = "The protection"
	case notice.CustodyDetained, notice.CustodyReleased:
		heading = "The detention"
	case notice.PlacementNotified, notice.ResponsibilityAccepted, notice.ProtectionPlanStarted, notice.ProtectionPlanEnded,
		notice.MedicalRequested, notice.MedicalConcluded, notice.EnrolmentChanged:
		heading = careKinds()[notice.EventKind(n.GetKind())].heading
	case notice.EventWithdrawn, notice.Manifest, notice.DeletionRequest: // they tell of no event
	}
	if count := len(n.GetEvents()); count > 1 {
		return fmt.Sprintf("%s: %d of %d", heading, i+1, count)
	}
	return heading
}

func equalRows(a, b []Row) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// layer lays out events.
type layer struct {
	names  func(notice.OrgID) string
	places bool
	apart  bool // it is about an adult, and no child
}

func (l layer) child(ev *eventv1.Event) []Row {
	var rows rowList
	for _, c := range ev.GetChildren() {
		rows.add("Name", fullName(c.GetName()))
		rows.add("Known as", c.GetName().GetKnownAs())
		rows.add("Date of birth", LongDate(c.GetDateOfBirth()))
		l.unborn(&rows, c.GetUnborn())
		for _, id := range c.GetIdentifiers() {
			rows.add(identifierLabel(id.GetScheme()), id.GetValue())
		}
		rows.add("Lives at", l.address(c.GetAddress()))
	}
	return rows
}

func identifierLabel(scheme string) string {
	switch scheme {
	case "upn":
		return "UPN"
	case "nhs":
		return "NHS number"
	default:
		return "Identifier " + scheme
	}
}

func (l layer) address(a *eventv1.Address) string {
	var parts []string
	for _, s := range append(append([]string(nil), a.GetLines()...), a.GetPostcode()) {
		if s = line(s); s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) > 0 && !l.places {
		return "shown on the notice page only"
	}
	return strings.Join(parts, ", ")
}

// rowList leaves out what the recipient may not see or nobody gave.
type rowList []Row

func (r *rowList) add(label, value string) {
	if value = line(value); value != "" {
		*r = append(*r, Row{Label: line(label), Value: value})
	}
}

// fullName is given and family names; the order of the publisher's form.
func fullName(n *eventv1.Name) string {
	return line(n.GetGiven() + " " + n.GetFamily())
}

// line makes s fit for one line: no control characters, no marks that turn the direction of writing, single spaces.
func line(s string) string { return strings.Join(strings.Fields(strings.Map(printable, s)), " ") }

func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\r':
		return ' '
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return -1
	case r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff:
		return -1
	case r == 0x2028 || r == 0x2029:
		return ' '
	}
	return r
}

// paragraphs splits free text at line breaks.
func paragraphs(s string) []string {
	var out []string
	for p := range strings.SplitSeq(strings.ReplaceAll(s, "\r", "\n"), "\n") {
		if p = line(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}
