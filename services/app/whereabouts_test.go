package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Each child is reported missing by police and found by the council under another reference: only of a child who is known for
// certain may the one be taken for the end of the other.
func TestASealedChildIsOnTheListOfThoseMissingAsOneNobodyKnows(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	for name, child := range map[string]*eventv1.Child{
		"known":   apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"),
		"unknown": apptest.Child("c1", "Zed", "Nobody", "2013-10-10"),
		"before":  apptest.Child("c1", "Noor", "Ashdown", "2013-10-10"),
		"after":   apptest.Child("c1", "Joss", "Penhallow", "2013-06-18"),
	} {
		child.ResidenceArea, child.LookedAfterBy = apptest.Ashmere, apptest.Ashmere
		police.Publish(reportedMissing(police, name, r.Clock.Now(), child))
		found := policeEvent(council, notice.MissingFound, "found-"+name, r.Clock.Now(), child)
		found.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{FoundAt: timestamppb.New(r.Clock.Now().Add(-time.Hour))}}
		council.Publish(found)
	}
	r.Settle()
	list := func() map[string][]*ledgerv1.Episode {
		t.Helper()
		response, err := r.Ledger.Whereabouts(r.Context(), &ledgerv1.WhereaboutsRequest{})
		check(t, err)
		rows := map[string][]*ledgerv1.Episode{}
		for _, e := range response.Episodes {
			name := strings.TrimPrefix(e.Event, "found-")
			rows[name] = append(rows[name], e)
		}
		return rows
	}
	if rows := list(); len(rows["known"]) != 1 || len(rows["after"]) != 1 || rows["after"][0].Child == "" || rows["after"][0].EndedMs == 0 {
		t.Fatalf("of a child who is known: %v", rows)
	}
	r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"}, []byte(
		"id,roll,pupil_id,kind,target,authoriser,reason,review_on\nR-2026-022,kestrel-roll,K-2002,protected_location,,Head of Safeguarding,protected_person,2027-03-01\n"))

	rows := list()
	if len(rows["unknown"]) != 2 {
		t.Fatalf("of a child nobody knows: %v", rows["unknown"])
	}
	for _, name := range []string{"before", "after"} {
		alike := slices.EqualFunc(rows[name], rows["unknown"], func(a, b *ledgerv1.Episode) bool {
			same := proto.CloneOf(a)
			same.Event, same.Reference = b.Event, b.Reference
			return proto.Equal(same, b)
		})
		if !alike {
			t.Errorf("sealed %s the decision, the child is on the list as\n%v\nand one nobody knows as\n%v", name, rows[name], rows["unknown"])
		}
	}
	if text := rows["unknown"][0].String(); strings.Contains(text, apptest.Ashmere) {
		t.Errorf("the list says where somebody lives who may be in hiding: %s", text)
	}
	if e := rows["known"][0]; e.Child == "" || e.ResidenceArea != apptest.Ashmere || e.EndedMs == 0 {
		t.Errorf("of a child who is known: %v", e)
	}
}
