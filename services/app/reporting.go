package app

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/report"
	"github.com/signalbox-hq/signalbox/services/store"
)

// reporting is what the page for reporting by hand needs of the rest.
type reporting struct {
	engine     *office
	events     *store.Events
	vault      keeper
	inlet      *inlet
	holder     *holder
	post       *post
	seal       reportSeal
	admit      func() error
	clock      clock.Clock
	mailDomain string
}

// mayReport are the roles of contacts who report by hand: an agency's desk, and somebody who does nothing else.
var mayReport = [...]string{"desk", "reporter"}

// Find gives the desk with an address. Agencies are few, and the contacts of each fewer: nothing is to be seen of the
// time that it takes.
func (p *reporting) Find(address string) (report.Desk, bool) {
	return p.find(func(c *directoryv1.Contact) bool {
		return strings.EqualFold(c.GetAddress(), address) || strings.EqualFold(c.GetCodeAddress(), address)
	})
}

// Still gives the desk of a contact as the directory has it now.
func (p *reporting) Still(contact string) (report.Desk, bool) {
	return p.find(func(c *directoryv1.Contact) bool { return c.GetId() == contact })
}

func (p *reporting) find(is func(*directoryv1.Contact) bool) (report.Desk, bool) {
	snapshot, _ := p.holder.Current()
	for _, a := range snapshot.Agencies() {
		if len(a.GetKinds()) > 0 && !slices.Contains(a.GetKinds(), string(notice.EncompassIncident)) {
			continue
		}
		org := notice.OrgID(a.GetOrganisation())
		for _, c := range snapshot.Contacts(org) {
			if !slices.Contains(mayReport[:], c.GetRole()) || c.GetChannel() != delivery.Email || !is(c) {
				continue
			}
			// Who may not be sent a notice may not sign in either: an address nobody confirmed, one out of use, a shared
			// mailbox without a person for its codes.
			endpoint, usable := delivery.Still(c.GetId(), org, delivery.About{}, snapshot, p.clock.Now())
			if !usable {
				continue
			}
			d := report.Desk{
				Contact: c.GetId(), Mailbox: endpoint.CodeTo(), Agency: notice.AgencyID(a.GetId()), Organisation: snapshot.Name(org),
			}
			if o, ok := snapshot.Organisation(org); ok {
				if area, ok := snapshot.Area(notice.Area(o.GetArea())); ok && area.GetKind() == "local_authority" {
					d.Area = notice.Area(area.GetGss())
				}
			}
			return d, true
		}
	}
	return report.Desk{}, false
}

// SendCode mails a one-time code to a desk.
func (p *reporting) SendCode(ctx context.Context, d report.Desk, code string) error {
	_, current := p.holder.Current()
	mail, err := delivery.RenderCode(delivery.Code{
		Reporting: true, Code: code, Until: p.clock.Now().Add(codeValidity), At: p.clock.Now(),
		MessageID: newMessageID(p.mailDomain), Secure: current.SecureSubject(delivery.Domain(d.Mailbox)),
	})
	if err != nil {
		return err
	}
	if result := p.post.sender.Send(ctx, mail, d.Mailbox); result.Outcome != delivery.Delivered {
		return notice.Faultf(notice.Unavailable, "app.SendCode", "the code could not be sent: %s", result.Detail)
	}
	return nil
}

// Areas lists the local authority areas, by name.
func (p *reporting) Areas() []report.Area {
	snapshot, _ := p.holder.Current()
	var areas []report.Area
	for _, row := range snapshot.Rows(directory.KindArea) {
		if a := row.GetArea(); a.GetKind() == "local_authority" {
			areas = append(areas, report.Area{Code: notice.Area(a.GetGss()), Name: cmp.Or(a.GetName(), a.GetGss())})
		}
	}
	slices.SortStableFunc(areas, func(a, b report.Area) int { return cmp.Compare(a.Name, b.Name) })
	return areas
}

// Check gives every fault of a report: by the same rules, and as of now, as of any other event of the agency.
func (p *reporting) Check(d report.Desk, ev *eventv1.Event) []notice.FieldFault {
	return p.inlet.intake.Validate(ev, p.inlet.check(d.Agency, ""))
}

// Publish stores a report in its agency's stream, with a sealed note of who typed it.
func (p *reporting) Publish(ctx context.Context, d report.Desk, ev *eventv1.Event, person string) (report.Sent, error) {
	const op = "app.Report"
	if faults := p.Check(d, ev); len(faults) > 0 {
		return report.Sent{}, notice.InvalidFields(op, faults)
	}
	key := p.engine.EventKey(d.Agency, ev.Id)
	var sent report.Sent
	var before []byte
	digest := p.engine.EventDigest(ev)
	if err := p.engine.View(ctx, func(s *ledger.State) {
		if known := s.Events[key]; known != nil {
			before, sent = known.Digest, standing(s, key)
		}
		if _, done := s.Withdrew(key); done { // whatever reason was given: it is withdrawn
			before, sent.Key = digest, key
		}
	}); err != nil {
		return report.Sent{}, err
	}
	switch {
	case before == nil:
	case bytes.Equal(before, digest):
		return sent, nil // it was sent before
	default:
		return report.Sent{}, notice.Faultf(notice.Conflict, op, "the form was sent before with other content")
	}
	if err := p.admit(); err != nil {
		return report.Sent{}, err
	}
	header, data, err := intake.Encode(ev, intake.Protobuf)
	if err != nil {
		return report.Sent{}, err
	}
	statement, err := p.vault.Keep(ctx, person)
	if err != nil {
		return report.Sent{}, err
	}
	http.Header(header).Set(reportedHeader, p.seal.note(d.Agency, ev.Id, reportedBy{Contact: d.Contact, Statement: statement}))
	_, err = p.events.Publish(ctx, d.Agency, notice.EventKind(ev.Type).Family(), store.Header(header), data, intake.MessageID(ev, data))
	return report.Sent{Key: key}, err
}

// Look says where a report of the agency stands.
func (p *reporting) Look(ctx context.Context, d report.Desk, key string) (report.Sent, error) {
	var sent report.Sent
	found := false
	err := p.engine.View(ctx, func(s *ledger.State) {
		if e := s.Events[key]; e != nil && e.Source.GetAgency() == string(d.Agency) {
			sent, found = standing(s, key), true
		}
	})
	if err == nil && !found {
		err = notice.Faultf(notice.NotFound, "app.Look", "there is no such report of the agency")
	}
	return sent, err
}

func standing(s *ledger.State, key string) report.Sent {
	sent := report.Sent{Key: key}
	for _, c := range s.Standing(key) {
		sent.Children = append(sent.Children, report.Standing{Ref: c.Ref, State: stateOf(c.State)})
	}
	return sent
}

func stateOf(s ledger.ChildState) report.State {
	switch s {
	case ledger.ChildUnmatched:
		return report.Unmatched
	case ledger.ChildTold:
		return report.Told
	case ledger.ChildAcknowledged:
		return report.Acknowledged
	case ledger.ChildLate:
		return report.Late
	case ledger.ChildWithdrawn:
		return report.Withdrawn
	case ledger.ChildAccepted: // nobody has been told
	}
	return 0
}
