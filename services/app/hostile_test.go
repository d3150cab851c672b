package app_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/store"
)

func TestAMessageOfTheLargestSizeIsRefusedAndStopsNobody(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	council.PublishRaw(store.EventSubject(council.ID, "encompass"), nil, bytes.Repeat([]byte("x"), 1<<20))
	council.PublishRaw(store.EventSubject(council.ID, "encompass"),
		intake.Header{"Filler": {strings.Repeat("y", 60<<10)}}, bytes.Repeat([]byte("x"), 1<<20-61<<10))
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 1 {
		t.Errorf("%d notices to the lead, want one", len(got))
	}
	if got := r.Summary().Refused; got != 2 {
		t.Errorf("%d refused, want 2", got)
	}
}

func TestALinkIsDeadOnceItsReaderIsBarredOrTheChildIsSealed(t *testing.T) {
	for name, restriction := range map[string]string{
		"the contact is barred":      "barred_contact,contacts/beacon-row-dsl",
		"the organisation is barred": "barred_organisation,900101",
		"the area is barred":         "barred_area,E09000901",
		"the child is sealed":        "protected_location,",
	} {
		t.Run(name, func(t *testing.T) {
			r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
			police := r.AddAgency("northbridge-police", "northbridge-police")
			police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
			r.Settle()
			lead := r.Person("j.marlowe@beacon-row.example")
			mail := lead.Notices()[0]
			if page := lead.Open(mail); !strings.Contains(page, "Brennock") {
				t.Fatal("the notice was never shown")
			}
			had := len(r.Mail.To(lead.Address))

			result := r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"},
				[]byte("id,roll,pupil_id,kind,target,authoriser,reason,review_on\n"+
					"late-1,ashmere-roll,A-1001,"+restriction+",duty manager,refuge,2027-01-01\n"))
			if len(result.Faults) > 0 {
				t.Fatal(result.Faults)
			}
			for _, try := range []struct {
				path string
				form url.Values
			}{
				{"/notice", nil}, {"/code", url.Values{}}, {"/acknowledge", url.Values{"who": {"contact"}, "have": {"yes"}}},
				{"/not-at-setting", url.Values{"checked": {"yes"}}},
			} {
				path := try.path
				if status, page := lead.Try(mail, path, try.form); status != http.StatusNotFound || strings.Contains(page, "Brennock") {
					t.Errorf("%s answers %d", path, status)
				}
			}
			if got := len(r.Mail.To(lead.Address)); got != had {
				t.Error("a code was sent")
			}
			if n := r.Summary().Acknowledged; n != 0 {
				t.Error("an acknowledgement was taken")
			}
		})
	}
}
