package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// astray is an incident withdrawn of which the lead and the authority's team have a notice, and the task that asks about it.
func astray(t *testing.T) (r *rig, e *running, task string) {
	r = newRig(t)
	e = r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	r.clock.Set(at(t, "2026-11-20T08:30:00Z")) // nobody acknowledged: the authority's team has it too
	e.settle()
	e.withdraw("i1")
	r.clock.Advance(20 * time.Hour)
	e.settle()
	equal(t, "dsl, team", r.post.to())
	return r, e, e.openTask(misdirection)
}

func (e *running) resolve(task, resolution string, except ...string) error {
	return e.ResolveTask(e.rig.context(), &ledgerv1.TaskResolved{Task: task, By: "op", Resolution: resolution, Except: except})
}

func TestARequestToDeleteGoesOutOnceAPersonSaysThatItIsSafe(t *testing.T) {
	r, e, task := astray(t)
	if err := e.resolve(task, ledger.SafeToAsk); err != nil {
		t.Fatal(err)
	}
	e.settle()
	if to := r.post.to(); to != "dsl, team, dsl, team" && to != "dsl, team, team, dsl" {
		t.Fatalf("sent to %s", to)
	}
	for _, m := range r.post.arrived(t, 4)[2:] {
		had := notice.Reference(m.Notice.Deletes)
		mail, err := delivery.RenderMail(m, func(id notice.OrgID) string { return string(id) })
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(mail.Text, had) || strings.Contains(mail.Subject, had) {
			t.Errorf("the request says %q and %s", mail.Subject, mail.Text)
		}
		for _, secret := range []string{"Ada", "Larch", "KV/1", "police", "Encompass", "abuse", "incident", "child"} {
			if strings.Contains(strings.ToLower(mail.Subject+mail.Text+mail.HTML), strings.ToLower(secret)) {
				t.Errorf("the request says %q", secret)
			}
		}
	}
	// It is chased and acknowledged like any other, and ends with a person who telephones.
	request := e.only(func(n *ledger.Notice) bool { return n.Deletes != "" && n.Organisation == council })
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: request, By: "team", Means: "page"}); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(4 * time.Hour)
	e.settle()
	if to := r.post.to(); !strings.HasSuffix(to, ", dsl (again)") || strings.Count(to, ",") != 4 {
		t.Errorf("the lead, who has not answered, is not asked once more: %s", to)
	}
	r.clock.Advance(24 * time.Hour)
	e.settle()
	equal(t, "open", e.tasks(ledgerv1.TaskKind_TASK_KIND_EXHAUSTED))
}

func TestARequestToDeleteLeavesOutWhomAPersonLeavesOut(t *testing.T) {
	r, e, task := astray(t)
	if err := e.resolve(task, ledger.SafeToAsk, "gias:999999"); !isKind(err, notice.Invalid) {
		t.Fatalf("left out somebody who has nothing: %v", err)
	}
	if err := e.resolve(task, ledger.SafeToAsk, school); err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, "dsl, team, team", r.post.to())
}

func TestASlipOfThePenInWhomToLeaveOutIsRefusedThoughTheChildIsSealedMeanwhile(t *testing.T) {
	r, e, task := astray(t)
	r.direct(directory.RestrictionRow(&directoryv1.Restriction{
		Id: "R1", Child: "ada", Kind: "protected_location", Authoriser: "head of safeguarding", Reason: "refuge", ReviewOn: "2027-03-01",
	}))
	if err := e.resolve(task, ledger.SafeToAsk, "gias:90O101"); !isKind(err, notice.Invalid) {
		t.Errorf("a slip of the pen is taken, and whoever was to be left out is asked: %v", err)
	}
	if err := e.resolve(task, ledger.SafeToAsk, council); err != nil {
		t.Errorf("what the publisher cannot be shown is held against it: %v", err)
	}
	e.settle()
	equal(t, "dsl, team", r.post.to())
}

func TestNobodyIsAskedToDeleteWhereAPersonSaysThatItIsNotSafe(t *testing.T) {
	r, e, task := astray(t)
	if err := e.resolve(task, ledger.NoAction); !isKind(err, notice.Invalid) {
		t.Fatalf("resolved with what says nothing: %v", err)
	}
	if err := e.resolve(task, ledger.DoNotAsk); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(7 * 24 * time.Hour)
	e.settle()
	equal(t, "dsl, team", r.post.to())
}

func TestWhoeverStandsInForAContactWhoHasLeftIsAskedToDelete(t *testing.T) {
	r, e, task := astray(t)
	r.direct(directory.ContactRow(&directoryv1.Contact{
		Id: "dsl", Organisation: school, Role: "dsl", Use: "regular", Channel: delivery.Email, Address: "dsl@ashmere.example",
		VerifiedOn: "2026-01-05", Until: "2026-11-19",
	}))
	if err := e.resolve(task, ledger.SafeToAsk); err != nil {
		t.Fatal(err)
	}
	e.settle()
	asked := strings.Split(r.post.to(), ", ")[2:]
	slices.Sort(asked)
	equal(t, "deputy, team", strings.Join(asked, ", "))
}
