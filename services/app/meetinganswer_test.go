package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
)

func TestWhoeverTelephonesAboutAnInvitationReadsThatItWasDeclined(t *testing.T) {
	t.Parallel()
	r, _, _ := called(t, "2026-06-16 10:00", 48*time.Hour)
	for _, address := range []string{planner, deputy, control} {
		answers(r, address, invitationTo(r, address), no())
	}
	details := []string{}
	for _, item := range r.TaskItems() {
		if item.Task.Kind == ledgerv1.TaskKind_TASK_KIND_EXHAUSTED {
			details = append(details, item.Task.Detail)
		}
	}
	equal(t, "why to telephone", details, []string{
		"northbridge-police has declined (no capacity), and nobody else there has said that they come to the meeting at 10:00 Thu 18 Jun (BST): " +
			"telephone, and record who was told",
	})
	r.Verify()
}

func TestWhoeverAnswersAnInvitationAgainAndAgainIsAskedToTelephone(t *testing.T) {
	t.Parallel()
	r, council, _ := called(t, "2026-06-16 10:00", 48*time.Hour)
	police := r.AddAgency("northbridge-police", "northbridge-police")
	own := ""
	for _, n := range r.Decision(council.ID, "sm-1").Notices {
		if n.Organisation == "northbridge-police" {
			own = n.Id
		}
	}
	sends := func(i int) error {
		_, err := police.Meetings().Reply(r.Context(), &meetingv1.ReplyRequest{
			Notice: own, Answer: ledgerv1.Answer_ANSWER_DEPUTY, Person: "R. Fenwick", Deputy: fmt.Sprintf("Deputy %d", i),
		})
		return err
	}
	for i := range 20 {
		must(t, sends(i))
	}
	if err := sends(20); status.Code(err) != codes.FailedPrecondition || !strings.Contains(status.Convert(err).Message(), "telephone whoever called the meeting") {
		t.Errorf("by gRPC: %v", err)
	}

	p, mail := r.Person(planner), invitationTo(r, planner)
	p.Open(mail)
	for i := range 21 {
		form := url.Values{"who": {"contact"}, "comes": {"deputy"}, "deputy": {fmt.Sprintf("Kim Osei %c", 'A'+i)}}
		code, page := p.Try(mail, "/reply", form)
		if late := i == 20; late != (code == http.StatusConflict && strings.Contains(page, "answered too often")) {
			t.Fatalf("answer %d on the page: %d\n%s", i+1, code, page)
		}
	}
	lines, shown := council.Meeting("SM-1")
	equal(t, "the last that was taken stands", lines[2], "northbridge-police: deputy, Kim Osei T")
	equal(t, "answers", shown.Invited[2].Answers, int64(40))
	r.Verify()
}
