package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func TestSendingIsStoppedBackedUpAndRestoredFromTheCommandLine(t *testing.T) {
	rig := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	o := operating{t: t, rig: rig, dir: t.TempDir()}
	police := rig.AddAgency("northbridge-police", "northbridge-police")

	shows(t, o.good(o.admin(), "sending", "show"), `^Nothing is stopped.$`)
	shows(t, o.good(o.admin(), "sending", "stop", "--channel", "email", "--reason", "the relay is down"),
		`^channel email +Thu 18 Jun 2026 19:42 BST +operator:admin +the relay is down$`)
	for _, scope := range [][2]string{{"organisation", "gias:900102"}, {"kind", "deletion.request"}} {
		flag, stopped := "--"+scope[0], `^`+scope[0]+` `+scope[1]+` +Thu 18 Jun 2026 19:42 BST`
		shows(t, o.good(o.admin(), "sending", "stop", flag, scope[1], "--reason", "a rehearsal"), stopped, `^channel email +`)
		if out := o.good(o.admin(), "sending", "resume", flag, scope[1], "--reason", "rehearsed"); strings.Contains(out, scope[1]) {
			t.Errorf("resumed, %s is stopped still: %s", scope[1], out)
		}
	}
	if s := o.signalbox(o.admin(), "sending", "stop", "--kind", "deletion.request", "--channel", "grpc", "--reason", "x"); s.code != exitUsage {
		t.Errorf("two scopes in one stop: code %d, %s", s.code, s.out)
	}
	police.Publish(apptest.Incident(police, "np-1", "NP/1/26", rig.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	rig.Settle()
	shows(t, o.good(o.admin(), "sending", "show"), `^held back: 1 notice$`)
	shows(t, o.good(o.admin(), "ledger", "summary"), `^SENDING IS STOPPED: channel email, since .* by operator:admin`, `1 stopped, 0 without an end`)
	shows(t, o.good(o.admin(), "ledger", "overdue"), `^SENDING IS STOPPED: channel email`, `^Nothing is overdue.$`)
	shows(t, o.good(o.admin(), "ledger", "timeline", "--event", "northbridge-police/np-1"), `held back .*sending is stopped: channel email`)
	if s := o.signalbox(o.admin(), "sending", "resume", "--reason", "x"); s.code != exitRefused {
		t.Errorf("resumed what is not stopped: %s", s.out)
	} else {
		shows(t, s.err, `this is not stopped: see what is`)
	}

	pass, archive := o.text("pass", "seven wooden boats at anchor\n"), filepath.Join(o.dir, "backup.age")
	shows(t, o.good(o.admin(), "backup", archive, "--passphrase-file", pass), `^Backed up to .*backup.age: .* KiB, sealed.$`)
	if s := o.signalbox(o.admin(), "backup", archive, "--passphrase-file", pass); s.code != exitRefused {
		t.Error("a backup was written over")
	}
	if found, _ := filepath.Glob(archive + "*"); len(found) != 1 {
		t.Errorf("left behind: %v", found)
	}
	data := filepath.Join(o.dir, "restored")
	config := o.text("signalbox.yaml", fmt.Sprintf("data: %s\nmail: {host: localhost, from: notices@signalbox.example}\n", data))
	wrong := o.text("wrong", "seven wooden boats adrift\n")
	restore := func(passphrase string) said {
		var out, errs bytes.Buffer
		code := run(rig.Context(), env{Program: Program{
			Args: []string{"restore", archive, "--config", config, "--passphrase-file", passphrase}, Out: &out, Err: &errs,
		}, now: rig.Clock.Now})
		return said{out: out.String(), err: errs.String(), code: code}
	}
	if s := restore(wrong); s.code != exitRefused {
		t.Errorf("restored with a wrong passphrase: %s", s.out)
	} else {
		shows(t, s.err, `the passphrase is not the one`)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a refused restore made the data folder")
	}
	restored := restore(pass)
	if restored.code != exitGood {
		t.Fatal(restored.err)
	}
	shows(t, restored.out,
		`^Restored the backup of Thu 18 Jun 2026 19:42:00 BST: [0-9]+ streams, [0-9]+ facts in [0-9]+ packs.$`, `1 stopped`, `^ALL SENDING IS STOPPED`)
	for _, name := range []string{"ca", "keys", "nats"} {
		if _, err := os.Stat(filepath.Join(data, name)); err != nil {
			t.Error(err)
		}
	}
}
