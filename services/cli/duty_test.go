package cli

import (
	"bytes"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func TestAWeekOfDutyIsLaidOutSpanBySpan(t *testing.T) {
	span := func(from, until, contact, name string, why directoryv1.DutyWhy) *directoryv1.DutySpan {
		return &directoryv1.DutySpan{Role: "duty", FromMs: ms(t, from), UntilMs: ms(t, until), Contact: contact, Name: name, Channel: "email", Why: why}
	}
	swapped := span("2026-10-25T01:00:00Z", "2026-10-25T08:00:00Z", "edt/holm", "Birk Holm", directoryv1.DutyWhy_DUTY_WHY_SWAP)
	swapped.InsteadOf = "edt/lund"
	gap := span("2026-10-25T08:00:00Z", "2026-10-25T20:00:00Z", "edt/holm", "Birk Holm", directoryv1.DutyWhy_DUTY_WHY_NO_SHIFT)
	gap.Gap, gap.Passed = true, []*directoryv1.DutyPassed{{Contact: "edt/lund", Reason: "address not confirmed by a person"}}
	shut := span("2026-10-26T17:00:00Z", "2026-10-26T20:00:00Z", "council/duty", "Duty Social Worker", directoryv1.DutyWhy_DUTY_WHY_OFF_DUTY)
	shut.Gap = true
	nobody := span("2026-10-26T20:00:00Z", "2026-10-27T00:00:00Z", "", "", directoryv1.DutyWhy_DUTY_WHY_NOBODY)
	nobody.Gap = true
	inHoliday := func(contact, name string, why directoryv1.DutyWhy) *directoryv1.DutySpan {
		s := span("2026-10-27T00:00:00Z", "2026-10-28T00:00:00Z", contact, name, why)
		s.Holiday, s.Gap = true, why > directoryv1.DutyWhy_DUTY_WHY_HOLIDAY
		return s
	}
	var b bytes.Buffer
	err := printDuty(&b, []*directoryv1.DutySpan{
		span("2026-10-23T23:00:00Z", "2026-10-24T16:00:00Z", "council/edt", "Emergency Duty Team", directoryv1.DutyWhy_DUTY_WHY_OUT_OF_HOURS),
		span("2026-10-24T16:00:00Z", "2026-10-25T01:00:00Z", "edt/pike", "Ana Pike", directoryv1.DutyWhy_DUTY_WHY_SHIFT),
		swapped, gap,
		span("2026-10-26T09:00:00Z", "2026-10-26T17:00:00Z", "council/duty", "Duty Social Worker", directoryv1.DutyWhy_DUTY_WHY_OFFICE_HOURS),
		shut, nobody,
		inHoliday("school/summer", "J. Marlowe", directoryv1.DutyWhy_DUTY_WHY_HOLIDAY),
		inHoliday("school/summer", "J. Marlowe", directoryv1.DutyWhy_DUTY_WHY_OFF_DUTY),
		inHoliday("", "", directoryv1.DutyWhy_DUTY_WHY_NOBODY),
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "duty", b.String())
}

func TestARotaIsImportedShownAndSwappedByCommands(t *testing.T) {
	rig := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	o := operating{t: t, rig: rig, dir: t.TempDir()}
	contacts := o.text("edt.csv", "id,organisation,role,name,channel,address,verified_on,use\n"+
		"pike,ashmere-council,duty,Ana Pike,email,a.pike@edt.example,2026-05-18,out_of_hours\n"+
		"holm,ashmere-council,duty,Birk Holm,email,b.holm@edt.example,2026-05-18,out_of_hours\n")
	o.good(o.admin(), "directory", "import", "contacts", contacts, "--source", "edt")
	rota := o.text("edt.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:EDT: Ana Pike\r\n"+
		"DTSTART;TZID=GMT Standard Time:20260618T170000\r\nDTEND;TZID=GMT Standard Time:20260619T090000\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	refused := o.signalbox(o.admin(), "directory", "import", "rota", rota)
	shows(t, refused.err, "--owner and the role with --role")
	if refused.code == exitGood {
		t.Error("a calendar that is nobody's was taken in")
	}
	shows(t, o.good(o.admin(), "directory", "import", "rota", rota, "--owner", "ashmere-council", "--role", "duty"), "add rota ashmere-council/duty")
	week := []string{"directory", "duty", "ashmere-council", "--role", "duty", "--days", "2"}
	shows(t, o.good(o.admin(), week...), `Thu 18 Jun 2026 17:00 BST +Fri 19 Jun 2026 09:00 BST +Ana Pike \(edt/pike\) +on the rota`, "office hours")

	swap := []string{"directory", "swap", "ashmere-council", "duty", "holm", "--from", "2026-06-18 20:00", "--until", "2026-06-18 23:00", "--instead-of", "pike"}
	shows(t, o.good(o.admin(), append(swap, "--dry-run")...), "dry run")
	shows(t, o.good(o.admin(), swap...), "swapped; in force as generation")
	shows(t, o.good(o.admin(), swap...), "has this swap already")
	shows(t, o.good(o.admin(), week...), `Thu 18 Jun 2026 20:00 BST +Thu 18 Jun 2026 23:00 BST +Birk Holm \(edt/holm\) +on the rota, in place of edt/pike`)
	back := o.signalbox(o.admin(), "directory", "swap", "ashmere-council", "duty", "pike", "--from", "2026-06-20 20:00", "--until", "2026-06-20 23:00", "--instead-of", "holm")
	shows(t, back.out, "instead_of: has no shift in this span", "Nothing was changed")
	if back.code == exitGood {
		t.Error("a swap of nobody counts as good")
	}
	shows(t, o.good(o.admin(), "directory", "show", "rota"), "ashmere-council/duty +2 shifts, 1 swap")
	unknown := o.signalbox(o.admin(), "directory", "duty", "ashmere-counsel")
	shows(t, unknown.err, "no such organisation or setting")
}
