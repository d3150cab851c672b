package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/telephone"
)

// Whoever works by the list tells the organisation of a line what the incident of the line is about. A line about a
// request to delete would have them tell exactly those who must not know.
func TestTheOfflineListHasNobodyCalledAboutWhatTheyAreAskedToDelete(t *testing.T) {
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	key, recipient, err := telephone.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "list.age")
	r.Config.Offline = app.OfflineConfig{Path: path, Recipients: []string{recipient}}
	r.Boot()
	r.ImportBorough()
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	response := withdraw(t, r, "np-1")
	r.Settle()
	_, err = r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{
		Task: response.Task, Resolution: "safe_to_ask", Reason: "The lead is no party to it.",
	})
	must(t, err)
	r.Settle()
	if got := len(r.Person(lead).Notices()); got != 2 {
		t.Fatalf("the lead has %d mails: the request is not under way", got)
	}
	text := ""
	r.Await("a list made since", func() bool {
		r.Clock.Advance(time.Hour)
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		text, err = telephone.Open(f, key)
		return err == nil && !strings.Contains(text, "19:42 BST")
	})
	open, found := telephone.Part(text, telephone.PartOpen)
	if lines := strings.Count(open, "\n"); !found || lines != 1 {
		t.Errorf("callers are sent to those who must not know:\n%s", open)
	}
}
