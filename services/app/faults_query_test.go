package app_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// awaitReading waits until the read model has reached the ledger's end, as monitoring would see it.
func awaitReading(t *testing.T, r *apptest.Rig) {
	t.Helper()
	stream, err := healthv1.NewHealthClient(r.Dial(r.Service.AdminIdentity())).Watch(r.Context(), &healthv1.HealthCheckRequest{Service: rpc.QueryService})
	check(t, err)
	for {
		status, err := stream.Recv()
		if err != nil {
			t.Fatalf("waiting for the read model: %v", err)
		}
		if status.GetStatus() == healthv1.HealthCheckResponse_SERVING {
			return
		}
	}
}

// awaitFile waits until there is a file.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the read model is not made anew")
		}
	}
}

// search reads every page.
func search(t *testing.T, r *apptest.Rig, req *ledgerv1.SearchRequest) []*ledgerv1.FoundNotice {
	t.Helper()
	var all []*ledgerv1.FoundNotice
	for req.PageSize = 7; ; {
		page, err := r.Ledger.Search(r.Context(), req)
		check(t, err)
		all = append(all, page.Notices...)
		if req.Cursor = page.Next; page.Next == "" {
			return all
		}
	}
}

// queryFaults are those of the read model's file.
func queryFaults() []fault {
	return []fault{{
		name: "the read model is deleted under load, and comes back while everything goes out",
		left: "10 deletions instead of 3", run: readModelDeleted,
	}}
}

// readModelDeleted deletes the file again and again while events arrive and mail goes out.
func readModelDeleted(t *testing.T, a *account) {
	const before, between = 12, 20
	r := apptest.Start(t, time.Now().Add(time.Minute))
	a.mailbox(r.Mail)
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	for i := range before {
		check(t, a.publish(council, decision(council, fmt.Sprintf("before-%02d", i))))
	}
	r.Settle()
	awaitReading(t, r)
	path := filepath.Join(r.Data, app.QueryFile)
	timelines := map[string][]*ledgerv1.Fact{}
	for i := range before {
		id := fmt.Sprintf("before-%02d", i)
		timelines[id] = r.Timeline(council.ID, id)
	}

	deletions := a.pick(3, 10, 100)
	during := deletions * between
	for i := range during {
		check(t, a.publish(council, decision(council, fmt.Sprintf("during-%04d", i))))
		if i%between != between/2 {
			continue
		}
		awaitReading(t, r)
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
		awaitFile(t, path)
		// Whoever asks while it is rebuilt is answered from the ledger itself.
		same := r.Timeline(council.ID, "before-00")
		if diff := cmp.Diff(timelines["before-00"], same, protocmp.Transform()); diff != "" {
			t.Errorf("timeline while it is rebuilt (-before +now):\n%s", diff)
		}
	}
	r.Settle()
	awaitReading(t, r)

	if found := search(t, r, &ledgerv1.SearchRequest{Agency: string(council.ID)}); len(found) != before+during {
		t.Errorf("%d found, want %d", len(found), before+during)
	}
	for id, was := range timelines {
		if diff := cmp.Diff(was, r.Timeline(council.ID, id), protocmp.Transform()); diff != "" {
			t.Errorf("timeline of %s (-before +after):\n%s", id, diff)
		}
	}
	for i := range during {
		if facts := r.Timeline(council.ID, fmt.Sprintf("during-%04d", i)); len(facts) != len(timelines["before-00"]) {
			t.Errorf("event %d has %d facts, want %d", i, len(facts), len(timelines["before-00"]))
		}
	}
	file, err := os.Stat(path)
	check(t, err)
	if file.Mode().Perm() != 0o600 {
		t.Errorf("the file is not its owner's alone: %v", file.Mode())
	}
	a.note("%d deletions", deletions)
	a.balance(t, r.Service.Store(), r.Clock.Now())
}
