package app_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
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
	t.Parallel()
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

func TestTheNATSServerTakesANewCertificateWhileAgenciesStayConnected(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	before := police.NATS
	serial := func(nc *nats.Conn) string {
		state, err := nc.TLSConnectionState()
		if err != nil {
			t.Fatal(err)
		}
		return state.PeerCertificates[0].SerialNumber.String()
	}
	old := serial(before)
	if err := r.Service.RenewNATSCertificate(r.Context()); err != nil {
		t.Fatal(err)
	}
	if before.Status() != nats.CONNECTED || serial(before) != old {
		t.Error("a connected agency was cut off")
	}
	police.Connect()
	if serial(police.NATS) == old {
		t.Error("the server still shows its old certificate")
	}
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 1 {
		t.Errorf("%d notices to the lead, want one", len(got))
	}
}

func TestTheFirstOperatorsCertificateIsRenewedAtAStartBeforeItEnds(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	file := filepath.Join(r.Service.AdminIdentity(), app.ClientName)
	good, err := os.ReadFile(file + ".crt")
	if err != nil {
		t.Fatal(err)
	}
	r.Restart()
	if again, err := os.ReadFile(file + ".crt"); err != nil || !bytes.Equal(again, good) {
		t.Error("a certificate with a year to go was replaced", err)
	}

	ca, err := identity.LoadCA(filepath.Join(r.Data, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.IssueClient(identity.Peer{Kind: identity.Operator, Name: app.Admin}, time.Now(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for suffix, text := range map[string][]byte{".crt": pair.CertPEM, ".key": pair.KeyPEM} {
		if err := os.WriteFile(file+suffix, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.Restart()
	if again, err := os.ReadFile(file + ".crt"); err != nil || bytes.Equal(again, pair.CertPEM) {
		t.Error("a certificate with a day to go was kept", err)
	}
	if info, err := os.Stat(file + ".key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("the key is readable by others", err)
	}
}

func TestASealedChildOnAnotherRollIsNotFoundByItsNumberThere(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	// The child is known on the first roll by its UPN; a school's own roll, without it, has the same child again.
	result := r.Import(&directoryv1.ImportHeader{Format: "pupil-roll", Name: "school.csv", Source: "beacon-row-mis"},
		[]byte("pupil_id,upn,nhs_number,given,family,date_of_birth,setting,as_of\n"+
			"7,,9434765919,Noor,Ashdown,2013-10-10,900101,2026-06-15\n"))
	if len(result.Faults) > 0 {
		t.Fatal(result.Faults)
	}
	child := apptest.Child("c1", "Noor", "Ashdown", "2013-10-10")
	child.Identifiers = []*eventv1.Identifier{{Scheme: directory.SchemeNHS, Value: "9434765919"}}
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), child))
	r.Settle()
	if sent := r.MailTo(); len(sent) != 0 {
		t.Errorf("told: %v", sent)
	}
	equal(t, "what the publisher heard", apptest.States(police.Feedback(), "np-1", "c1"), []intakev1.ChildState{
		intakev1.ChildState_CHILD_STATE_UNMATCHED,
	})
}
