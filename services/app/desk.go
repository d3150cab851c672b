package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/delivery/page"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// codeValidity is how long a one-time code works, as its email says. The page counts on its own.
const codeValidity = 10 * time.Minute

// keeper keeps texts that people gave where they can be erased.
type keeper interface {
	Keep(ctx context.Context, text string) (uint64, error)
}

// desk is the notice page's view of the engine.
type desk struct {
	engine     *office
	post       *post
	vault      keeper
	holder     *holder
	clock      clock.Clock
	key        notice.Key
	mailDomain string
}

// letter is a notice as one attempt sent it.
type letter struct {
	notice    *ledgerv1.Notice
	sources   []*ledgerv1.Source
	attempt   *ledgerv1.AttemptStarted
	phase     ledger.Phase
	replaced  bool
	withdrawn bool
	answer    ledgerv1.Answer // to an invitation, so far
	answerMS  int64
	parties   [][]byte // digests
	past      bool     // an invitation that does not stand any more, or a matter of whose end its recipient is told
}

// letter finds what a link was made for. A link to a notice that was never sent so is dead.
func (d *desk) letter(ctx context.Context, id string, attempt uint32) (letter, error) {
	var l letter
	found := false
	err := d.engine.View(ctx, func(s *ledger.State) {
		n := s.Notices[id]
		if n == nil {
			return
		}
		a, ok := n.Attempt(attempt)
		if !ok {
			return
		}
		l = letter{
			notice: n.Notice, sources: n.Sources, attempt: a.AttemptStarted, phase: n.Phase, replaced: n.ReplacedBy != "",
			withdrawn: n.Withdrawn, parties: s.Lineages[n.Lineage].Parties,
		}
		if n.Invitation == nil {
			l.past = s.Over(n)
			found = true
			return
		}
		l.past = !s.Stands(n)
		if reply := s.AnswerOf(n); reply != nil {
			l.answer, l.answerMS = reply.Answer, reply.AtMS
		}
		found = true
	})
	if err == nil && !found {
		err = notice.Faultf(notice.NotFound, "app.desk", "there is no such notice")
	}
	return l, err
}

// Open describes the notice behind a link.
func (d *desk) Open(ctx context.Context, id string, attempt uint32) (page.Cover, error) {
	l, err := d.letter(ctx, id, attempt)
	if err != nil {
		return page.Cover{}, err
	}
	snapshot, _ := d.holder.Current()
	cover := page.Cover{
		Reference: notice.Reference(id), Organisation: snapshot.Name(notice.OrgID(l.attempt.Organisation)),
		Role: l.attempt.Role, ContactID: l.attempt.Contact, Due: time.UnixMilli(l.notice.DueMs),
		AcknowledgeDue: l.notice.Acknowledge, SettingNotice: l.notice.Function == "setting" && l.notice.Child != "" &&
			l.attempt.Organisation == l.notice.Organisation,
		Deletion: l.notice.Deletes != "", State: page.Open,
	}
	d.invite(&cover, l)
	if c, ok := d.contact(l); ok {
		cover.ContactName, cover.SharedMailbox = c.Name, c.Shared
	}
	if l.withdrawn {
		cover.State = page.Recalled
		if l.replaced {
			cover.State = page.Superseded
		}
		return cover, nil
	}
	if l.past {
		l.phase = ledger.Superseded // though it was answered before that
	}
	switch l.phase {
	case ledger.Acknowledged, ledger.Closed:
		cover.State = page.Acknowledged
	case ledger.Superseded, ledger.Withdrawn:
		cover.State = page.Withdrawn
		if l.replaced {
			cover.State = page.Superseded
		}
	case ledger.Held, ledger.Ready, ledger.Sending, ledger.Waiting, ledger.Stopped, ledger.Awaiting, ledger.WithTask, ledger.Delivered:
	}
	return cover, nil
}

// contact finds the contact that a letter went to as the directory has it now; one that has left, is no longer confirmed,
// is barred from the child, is a party, or was told by a subscription that covers it no more, gets neither code nor content,
// and is not heard.
func (d *desk) contact(l letter) (delivery.Endpoint, bool) {
	snapshot, _ := d.holder.Current()
	if !delivery.Rests(l.notice, snapshot, d.clock.Now()) {
		return delivery.Endpoint{}, false
	}
	about := delivery.About{Child: notice.ChildID(l.notice.Child), Parties: directory.NewCircle(d.key, l.parties)}
	return delivery.Still(l.attempt.Contact, notice.OrgID(l.attempt.Organisation), about, snapshot, d.clock.Now())
}

// reader is the letter behind a link whose contact may still be told.
func (d *desk) reader(ctx context.Context, id string, attempt uint32) (letter, delivery.Endpoint, error) {
	l, err := d.letter(ctx, id, attempt)
	if err != nil {
		return l, delivery.Endpoint{}, err
	}
	if l.withdrawn {
		return l, delivery.Endpoint{}, notice.Faultf(notice.Precondition, "app.desk", "the notice was withdrawn")
	}
	contact, ok := d.contact(l)
	if !ok {
		return l, contact, notice.Faultf(notice.NotFound, "app.desk", "the contact is no longer to be told")
	}
	return l, contact, nil
}

// SendCode mails a one-time code to the contact that the letter went to.
func (d *desk) SendCode(ctx context.Context, id string, attempt uint32, code string) error {
	const op = "app.SendCode"
	_, contact, err := d.reader(ctx, id, attempt)
	if err != nil {
		return err
	}
	if err := d.engine.CodeSent(ctx, id, contact.Contact); err != nil {
		return err
	}
	to := contact.CodeTo()
	_, current := d.holder.Current()
	mail, err := delivery.RenderCode(delivery.Code{
		NoticeID: id, Code: code, Until: d.clock.Now().Add(codeValidity), At: d.clock.Now(),
		MessageID: newMessageID(d.mailDomain), Secure: current.SecureSubject(delivery.Domain(to)),
	})
	if err != nil {
		return err
	}
	if result := d.post.sender.Send(ctx, mail, to); result.Outcome != delivery.Delivered {
		return notice.Faultf(notice.Unavailable, op, "the code could not be sent: %s", result.Detail)
	}
	return nil
}

func newMessageID(domain string) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return "code-" + hex.EncodeToString(random[:]) + "@" + domain
}

// Read gives the notice as its recipient may see it, and records that it was read.
func (d *desk) Read(ctx context.Context, id string, attempt uint32) (*noticev1.Notice, error) {
	l, _, err := d.reader(ctx, id, attempt)
	if err != nil {
		return nil, err
	}
	events := make([]*eventv1.Event, len(l.sources))
	for i, src := range l.sources {
		if l.notice.Refs[i] == "" {
			continue
		}
		if events[i], err = d.engine.Body(ctx, src); err != nil {
			return nil, err
		}
	}
	snapshot, current := d.holder.Current()
	content, _, err := delivery.Compose(l.notice, events, current, snapshot)
	if err != nil {
		return nil, err
	}
	return content, d.engine.NoticeRead(ctx, id, l.attempt.Contact)
}

// Acknowledge records that the person has the notice. The name goes to the vault, not to the ledger.
func (d *desk) Acknowledge(ctx context.Context, id string, attempt uint32, person string) error {
	l, _, err := d.reader(ctx, id, attempt)
	if err != nil {
		return err
	}
	statement, err := d.vault.Keep(ctx, person)
	if err != nil {
		return err
	}
	return d.engine.Acknowledge(ctx, &ledgerv1.Acknowledged{
		Notice: id, By: l.attempt.Contact, Means: "page", Statement: statement,
	})
}

// NotAtSetting records that the child is not at the setting.
func (d *desk) NotAtSetting(ctx context.Context, id string, attempt uint32) error {
	l, _, err := d.reader(ctx, id, attempt)
	if err != nil {
		return err
	}
	return d.engine.NotAtSetting(ctx, id, l.attempt.Contact)
}
