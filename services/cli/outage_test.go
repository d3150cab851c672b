package cli

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/telephone"
)

func TestTheDayAfterAnOutageByCommands(t *testing.T) {
	rig := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	o := operating{t: t, rig: rig, dir: t.TempDir()}
	police := rig.AddAgency("northbridge-police", "northbridge-police")
	form := strings.Join(telephone.Columns(), ",") + "\n"
	row := "northbridge-police,encompass.incident,NP/26/1,900101,all,J. Marlowe,2026-06-18 19:50,PC Lund,called back\n"

	bad := o.signalbox(o.admin(), "telephone", "import", o.text("bad.csv", form+row+strings.Replace(row, "19:50", "25:00", 1)))
	if bad.code != exitRefused {
		t.Errorf("a bad file: status %d", bad.code)
	}
	shows(t, bad.err, "1 fault", "^  line 3, told_at: is not a date and time")
	calls := o.text("calls.csv", form+row)
	shows(t, o.good(o.admin(), "telephone", "import", calls, "--dry-run"), "waits for its event", "dry run: nothing was taken in")
	shows(t, o.good(o.admin(), "telephone", "list"), "No call waits for anything")
	shows(t, o.good(o.admin(), "telephone", "import", calls), "1 call, 1 of them new, ending 0 notices; 1 waiting")
	shows(t, o.good(o.admin(), "telephone", "list"), "Incident NP/26/1. Told: J. Marlowe.")

	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", apptest.London("2026-06-18 19:42"), ivo))
	rig.Settle()
	shows(t, o.good(o.admin(), "telephone", "import", calls), "taken in before; ends [0-9a-z]{20}")
	shows(t, o.good(o.admin(), "ledger", "timeline", "--event", "northbridge-police/np-1"),
		"told by telephone .*gias:900101 was told of every child", "acknowledged .*by telephone, call")
	if agency := o.signalbox(police.Identity, "telephone", "list"); agency.code != exitRefused {
		t.Error("an agency reads the calls")
	}

	event := []string{"replay", "--agency", "northbridge-police", "--event", "np-1"}
	shows(t, o.good(o.admin(), event...), "^  ended, left +gias:900101", "dry run: a replay would change nothing")
	forced := append(event, "--force")
	plan := o.good(o.admin(), forced...)
	shows(t, plan, "^encompass.incident NP/26/1,", "^  SENT AGAIN +gias:900101")
	digest := regexp.MustCompile("--confirm ([0-9a-f]{16})").FindStringSubmatch(plan)[1]
	if wrong := o.signalbox(o.admin(), append(forced, "--confirm", "0000000000000000", "--reason", "A slip.")...); wrong.code != exitRefused {
		t.Error("another plan was carried out")
	} else {
		shows(t, wrong.out, "NOTHING WAS DONE", "--confirm "+digest)
	}
	shows(t, o.good(o.admin(), append(forced, "--confirm", digest, "--reason", "They ask for it in writing.")...), "carried out: plan "+digest)
	rig.Settle()
	if mails := rig.Person("j.marlowe@beacon-row.example").Notices(); len(mails) != 1 {
		t.Errorf("%d mails, want the one that was forced", len(mails))
	}
	shows(t, o.good(o.admin(), "ledger", "timeline", "--event", "northbridge-police/np-1"), "replayed .*FORCED", `round 2 \(replay\)`)
	shows(t, o.good(o.admin(), "ledger", "verify"), "The ledger holds")

	key := filepath.Join(o.dir, "duty.key")
	shows(t, o.offline("offline", "key", key), "^age1")
}

// offline runs a command that needs no service.
func (o operating) offline(args ...string) string {
	o.t.Helper()
	var out strings.Builder
	if code := run(o.rig.Context(), env{Program: Program{Args: args, In: strings.NewReader(""), Out: &out, Err: &out}, now: o.rig.Clock.Now}); code != exitGood {
		o.t.Fatalf("%v: status %d\n%s", args, code, out.String())
	}
	return out.String()
}
