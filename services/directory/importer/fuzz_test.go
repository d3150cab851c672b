package importer

import (
	"bytes"
	"testing"

	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// fuzz reads any bytes as a format. Whatever they are, Plan answers with a classified error, or with a plan whose result
// is a directory that can be built and in which the same bytes change nothing more.
func fuzz(f *testing.F, format string) {
	fuzzFiles(f, request(format), filled(f, format), sample(f, format))
}

func fuzzFiles(f *testing.F, req Request, s *directory.Snapshot, files ...string) {
	for _, whole := range files {
		f.Add([]byte(whole))
		f.Add([]byte(whole[:len(whole)/2]))
		f.Add([]byte("\ufeff" + whole))
	}
	req.Force = true
	f.Fuzz(func(t *testing.T, data []byte) {
		res, err := Plan(req, bytes.NewReader(data), s, nil)
		if err != nil {
			if kind := notice.KindOf(err); kind != notice.Invalid {
				t.Fatalf("error of kind %s: %v", kind, err)
			}
			return
		}
		for _, row := range res.Puts {
			if kind, id := directory.KeyOf(row); kind == "" || id == "" {
				t.Fatalf("a row without a key")
			}
		}
		after := apply(t, s, res)
		again, err := Plan(req, bytes.NewReader(data), after, nil)
		if err != nil {
			t.Fatalf("the second time it is refused: %v", err)
		}
		if len(again.Puts) > 0 || len(again.Deletes) > 0 {
			t.Fatalf("the second time it changes %v", again.Changes)
		}
	})
}

func FuzzGIAS(f *testing.F)          { fuzz(f, GIAS) }
func FuzzLinks(f *testing.F)         { fuzz(f, GIASLinks) }
func FuzzBankHolidays(f *testing.F)  { fuzz(f, BankHolidays) }
func FuzzAreas(f *testing.F)         { fuzz(f, Areas) }
func FuzzOrganisations(f *testing.F) { fuzz(f, Organisations) }
func FuzzTermDates(f *testing.F)     { fuzz(f, TermDates) }
func FuzzPupilRoll(f *testing.F)     { fuzz(f, PupilRoll) }
func FuzzContacts(f *testing.F)      { fuzz(f, Contacts) }
func FuzzRestrictions(f *testing.F)  { fuzz(f, Restrictions) }
func FuzzONSPD(f *testing.F)         { fuzz(f, ONSPD) }
func FuzzOfsted(f *testing.F)        { fuzz(f, Ofsted) }
func FuzzODS(f *testing.F)           { fuzz(f, ODS) }
func FuzzNetwork(f *testing.F)       { fuzz(f, Network) }
func FuzzRota(f *testing.F)          { fuzz(f, Rota) }

func FuzzRotaCalendar(f *testing.F) {
	fuzzFiles(f, rotaRequest(), onCall(f), exported(f, "rota-google.ics"), exported(f, "rota-outlook.ics"))
}

func FuzzTermCalendar(f *testing.F) {
	fuzzFiles(f, termRequest("E09000901"), filled(f, TermDates), exported(f, "terms-spans.ics"), exported(f, "terms-marks.ics"))
}
