package app_test

import (
	"slices"
	"strings"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// involved tells of an incident to those whom the default policy leaves out.
const involved = `
  - id: local.network
    on: [encompass.incident]
    tell: network
    network: [school_nursing, gp, health_visitor]
    function: network
    because: you are involved with this child
    view: encompass_minimal
    basis: encompass_outside_duty
    due: {clock: at_once, minutes: 60}
    chain: [{of: recipient, roles: [desk]}]
  - id: local.residence
    on: [encompass.incident]
    tell: residence_authority
    when: child.residence_area != "" && child.residence_area != event.area
    function: authority
    because: the child lives in this authority's area
    view: encompass_minimal
    basis: encompass_outside_duty
    due: {clock: at_once, minutes: 60}
    chain: [{of: recipient, roles: [duty]}]
`

// Those involved with a child are told on the days on which they are, and where a child lives is found by its postcode.
func TestTheNetworkAndThePostcodeOfAChildSayWhoIsTold(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	head, tail, _ := strings.Cut(string(policy.Default()), "\nexamples:")
	r.Import(&directoryv1.ImportHeader{Format: "policy", Name: "local.yaml"}, []byte(head+involved+"\nexamples:"+tail))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	publish := func(id string, child *eventv1.Child) []string {
		police.Publish(apptest.Incident(police, id, "NP/26/"+id, r.Clock.Now(), child))
		r.Settle()
		told := apptest.Told(r.Decision(police.ID, id))
		for i := range told {
			told[i], _, _ = strings.Cut(told[i], ": ")
		}
		return slices.DeleteFunc(told, func(s string) bool { return !strings.HasPrefix(s, "local.") })
	}
	equal(t, "told of Tamsin", publish("np-1", apptest.Child("c1", "Tamsin", "Holloway", "2017-08-30")),
		[]string{"local.network ashmere-school-nursing", "local.network ods:X99001"})
	for _, address := range []string{"safeguarding@alder-lane-surgery.example", "hub@ashmere-school-nursing.example"} {
		if len(r.Person(address).Notices()) != 1 {
			t.Errorf("%s has no mail; mail went to %v", address, r.MailTo())
		}
	}

	// A list without the surgery: it is told no more.
	r.Import(&directoryv1.ImportHeader{Format: "network", Source: "ashmere-network", Force: true},
		[]byte("id,roll,pupil_id,function,organisation,until\nn-02,ashmere-roll,A-1009,school_nursing,ashmere-school-nursing,2026-06-17\nn-05,ashmere-roll,A-1008,health_visitor,ashmere-health-visiting,\n"))
	equal(t, "told of Tamsin after the list", publish("np-2", apptest.Child("c1", "Tamsin", "Holloway", "2017-08-30")), []string{})

	stranger := apptest.Child("c1", "Nell", "Unmet", "2016-01-01")
	stranger.ResidenceArea, stranger.Address = "", &eventv1.Address{Postcode: "zy1 3pe"}
	equal(t, "told of a child whom no roll knows", publish("np-3", stranger), []string{"local.residence kestrel-vale-council"})
	stranger.Address.Postcode = "ZY1 9ZZ" // that no directory has
	equal(t, "told where the postcode says nothing", publish("np-4", stranger), []string{})
	r.Verify()
}

// Each place outside England's schools is told, on the basis that the policy names for it.
func TestPlacesThatAreNoSchoolInEngland(t *testing.T) {
	t.Parallel()
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	r.Import(&directoryv1.ImportHeader{Format: "areas"}, []byte("gss,name,kind\nS12000904,Glen Sorrel,local_authority\nN09000905,Lough Fern,local_authority\n"))
	r.Import(&directoryv1.ImportHeader{Format: "organisations"}, []byte("id,name,kind,area\nglen-sorrel-council,Glen Sorrel Council,local_authority,S12000904\nscotland:8123456,Glen Sorrel Primary,school,S12000904\n"+
		"lough-fern-authority,Lough Fern Education Authority,local_authority,N09000905\nni:1230123,Lough Fern Nursery School,nursery,N09000905\n"))
	r.Import(&directoryv1.ImportHeader{Format: "pupil-roll", Source: "glen-sorrel-roll"},
		[]byte("pupil_id,upn,given,family,date_of_birth,setting,as_of\nG-1,,Isla,Menzies,2016-04-04,scotland:8123456,2026-06-15\nG-2,,Gwen,Tallis,2022-12-24,ni:1230123,2026-06-15\n"))
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(),
		apptest.Child("wales", "Lena", "Prosser", "2014-07-07"), apptest.Child("scotland", "Isla", "Menzies", "2016-04-04"),
		apptest.Child("college", "Marlow", "Teague", "2009-01-23"), apptest.Child("childminder", "Otis", "Graveney", "2024-05-05"),
		apptest.Child("part-time", "Pip", "Larkspur", "2023-03-19")))
	r.Settle()
	var got []string
	for _, n := range r.Decision(police.ID, "np-1").GetNotices() {
		got = append(got, n.GetOrganisation()+" "+n.GetBasis()+" "+n.GetView())
	}
	slices.Sort(got)
	equal(t, "told", got, []string{
		"gias:400901 domestic_abuse_act_2021_s49a encompass_full",
		"gias:900104 domestic_abuse_act_2021_s49a encompass_full",
		"ofsted:EY900201 encompass_outside_duty encompass_full",
		"ofsted:EY900202 encompass_outside_duty encompass_minimal",
		"scotland:8123456 encompass_outside_duty encompass_full",
	})

	// Missing: what is guidance for England is no basis there.
	for name, child := range map[string]*eventv1.Child{
		"gias:400901": apptest.Child("wales", "Lena", "Prosser", "2014-07-07"), "scotland:8123456": apptest.Child("scotland", "Isla", "Menzies", "2016-04-04"),
		"ni:1230123": apptest.Child("ni", "Gwen", "Tallis", "2022-12-24"), "gias:900101": apptest.Child("england", "Ivo", "Brennock", "2015-05-09"),
	} {
		police.Publish(reportedMissing(police, "mis-"+child.Ref, r.Clock.Now(), child))
		r.Settle()
		want := "safeguarding_outside_england"
		if child.Ref == "england" {
			want = "missing_children"
		}
		for _, n := range r.Decision(police.ID, "mis-"+child.Ref).GetNotices() {
			if n.GetFunction() == "setting" && (n.GetOrganisation() != name || n.GetBasis() != want) {
				t.Errorf("of the child missing from %s: %s is told on %s, want %s", name, n.GetOrganisation(), n.GetBasis(), want)
			}
		}
	}
	welsh := r.Person("g.bevan@nantyfelin.example")
	if page := welsh.Open(welsh.Notices()[1]); !strings.Contains(page, "Social Services and Well-being (Wales) Act 2014") || strings.Contains(page, "Statutory guidance on children") {
		t.Errorf("the notice to the school in Wales does not give the basis that holds there:\n%s", page)
	}
	r.Verify()
}
