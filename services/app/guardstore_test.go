package app_test

import (
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// Quarantine and one agency's events reserve 320 MiB of the room; 40 MiB of it may be used before new events are refused.
const (
	mib     = 1 << 20
	room    = 360 * mib
	reserve = 320 * mib
)

// fill publishes what is no event until the service has closed its doors, and returns how much of it was stored.
func fill(t *testing.T, r *apptest.Rig, a *apptest.Agency) (stored int) {
	t.Helper()
	for !refusing(r) {
		if err := a.TryPublishRaw(make([]byte, 512<<10)); err == nil {
			stored++
		}
		if stored > 100 {
			t.Fatal("fifty MiB are stored and nobody is refused")
		}
	}
	return stored
}

func refusing(r *apptest.Rig) bool {
	raised, _ := r.Alarms()
	return raised["store-headroom"] != nil && raised["store-headroom"].Severity == alarmv1.Severity_SEVERITY_CRITICAL
}

func TestBeforeTheStoreIsFullNewEventsAreRefusedAndAllElseGoesOn(t *testing.T) {
	t.Parallel()
	r, police := watched(t, func(r *apptest.Rig) {
		r.Config.NATS.StoreBytes, r.Config.NATS.ReserveBytes, r.Config.NATS.EventsBytes = room, reserve, 64*mib
	})
	theDoorsCloseAndOpen(t, r, police)
}

func TestAtAnExternalServerNewEventsAreRefusedBeforeTheAccountIsFull(t *testing.T) {
	t.Parallel()
	r, _ := overExternalOf(t, apptest.London("2026-06-18 19:42"), room)
	r.Watchful()
	r.Config.NATS.ReserveBytes, r.Config.NATS.EventsBytes = reserve, 64*mib
	r.Boot()
	r.ImportBorough()
	theDoorsCloseAndOpen(t, r, r.AddAgency("northbridge-police", "northbridge-police"))
}

func theDoorsCloseAndOpen(t *testing.T, r *apptest.Rig, police *apptest.Agency) {
	t.Helper()
	r.AwaitSummary(func(*ledgerv1.SummaryResponse) bool { return !refusing(r) })
	aboutIvo(police, r, 1)
	r.Settle()
	lead := r.Person("j.marlowe@beacon-row.example")

	stored := fill(t, r, police)
	last, err := r.Service.Store().Events().Last(t.Context(), police.ID)
	must(t, err)
	if last != uint64(stored)+1 {
		t.Errorf("%d events are stored, %d were acknowledged", last, stored+1)
	}
	ev := apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	if err := police.TryPublish(ev); err == nil {
		t.Error("over NATS an event was acknowledged")
	}
	_, err = intakev1.NewIntakeServiceClient(police.GRPC).Publish(r.Context(), &intakev1.PublishRequest{Event: ev})
	if st := status.Convert(err); st.Code() != codes.Unavailable || len(st.Details()) != 1 {
		t.Errorf("over gRPC: %v", err)
	} else if _, says := st.Details()[0].(*errdetails.RetryInfo); !says {
		t.Errorf("over gRPC: %v", st.Details())
	}
	lead.Acknowledge(lead.Notices()[0])
	if s := r.Summary(); s.Acknowledged != 1 {
		t.Errorf("a person's acknowledgement was not taken: %v", s)
	}
	r.Restart() // it is still full, and the streams stay closed
	police.Connect()
	r.AwaitAlarm("store-headroom")
	r.AwaitSummary(func(*ledgerv1.SummaryResponse) bool { return refusing(r) })

	for seq := uint64(2); seq <= last; seq++ {
		must(t, r.Service.Store().Events().Erase(r.Context(), police.ID, seq))
	}
	r.AwaitSummary(func(*ledgerv1.SummaryResponse) bool { return !refusing(r) })
	r.AwaitMail(func() bool { return police.TryPublish(ev) == nil })
	r.Settle()
	if got := lead.Notices(); len(got) != 2 {
		t.Errorf("%d notices, want 2", len(got))
	}
	t.Logf("%d events of half a MiB were stored before the doors closed", stored)
}
