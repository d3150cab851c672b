package delivery

import (
	"strings"
	"testing"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// allegation is a notice to the designated officer of an incident, as the view of the default policy has it.
func allegation(t *testing.T) *noticev1.Notice {
	t.Helper()
	v, err := disclosure.NewView("position", []string{"reference", "incident", "party", "position"}, false)
	if err != nil {
		t.Fatal(err)
	}
	ev := sampleEvent(t, notice.EncompassIncident)
	ev.People = []*eventv1.Person{
		{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_VICTIM, Name: &eventv1.Name{Given: "Dana", Family: "Hartley"}},
		{Ref: "p2", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Tobias", Family: "Kettle"}, DateOfBirth: "1988-02-01",
			Email: "kettle@home.example", WorksWithChildren: true, WorksAt: &eventv1.OrganisationRef{Id: "gias:900101"}},
		{Ref: "p3", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Ada", Family: "Moth"}, WorksWithChildren: true},
	}
	shown, _ := disclosure.Apply(ev, "*", "ashmere-council", v)
	n := sampleNotice(t, notice.EncompassIncident, shown)
	n.Organisation, n.Role, n.Basis = "ashmere-council", designatedOfficer, "Children Act 2004 section 11"
	n.Because = "Sent on behalf of Kestrel Vale Police. Somebody who works with children in your area is alleged to have caused harm."
	n.Do, n.DoNot = advice(notice.EncompassIncident, designatedOfficer, false)
	return n
}

func TestTheDesignatedOfficerReadsWhoIsSuspectedAndOfNoChild(t *testing.T) {
	for name, change := range map[string]func(*Message){
		"full": nil, "stub": func(m *Message) { m.Form = Stub },
		"correction": func(m *Message) { m.Notice.Version, m.Notice.Replaces = 2, replacedID },
		"duplicate":  func(m *Message) { m.PossibleDuplicate = true },
	} {
		t.Run(name, func(t *testing.T) {
			m := sampleMessage(t, allegation(t), Full)
			if change != nil {
				change(&m)
			}
			got, err := RenderMail(m, sampleNames)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "position_"+name, got)
			for _, banned := range []string{"Rowan", "Dana", "2017", "argument", "kettle@", "Encompass"} {
				if strings.Contains(got.Subject+got.Text+got.HTML, banned) {
					t.Errorf("the mail holds %q", banned)
				}
			}
		})
	}
}
