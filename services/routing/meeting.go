package routing

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// invitation is what a notice asks that tells of a meeting to come, nil where it tells of none.
func (d *decider) invitation(rule *policy.Rule, s *subject, r recipient) *ledgerv1.Invitation {
	convened := s.event.GetStrategyMeetingConvened()
	if rule.Tell != "invited" || convened == nil {
		return nil
	}
	i := &ledgerv1.Invitation{MeetsMs: convened.MeetsAt.AsTime().UnixMilli()}
	for _, function := range rule.RequiredFunctions {
		// An organisation may be invited twice, once in each of its functions: it has one invitation, and represents both.
		if slices.ContainsFunc(convened.Invited, func(p *eventv1.Participant) bool {
			return p.Organisation.GetId() == string(r.organisation) && d.meets(p, function)
		}) {
			i.Represents = append(i.Represents, function)
		}
	}
	return i
}

// beforeMeeting is the time by which an invitation is answered. Whoever is invited at short notice has a fair while,
// though never longer than until the start: nobody is late the moment they are asked.
func (d *decider) beforeMeeting(meets time.Time, minutes int32) (time.Time, string) {
	due := meets.Add(-time.Duration(minutes) * time.Minute)
	if soonest := d.Now.Add(shortestWait); due.Before(soonest) && d.Now.Before(meets) {
		if soonest.After(meets) {
			return meets, "at once: the meeting starts then"
		}
		return soonest, "at once: the meeting is near"
	}
	return due, fmt.Sprintf("%d minutes before the meeting", minutes)
}

// askInstead adds, for each invitation that was answered and then declined, another to the same organisation: the first
// has its end, and whoever comes in the place of those who have declined has to be asked.
func (d *decider) askInstead() {
	declined := map[string]Prior{}
	for _, p := range d.round.Prior {
		if p.Declined && !p.Withdrawn {
			declined[p.Obligation] = p
		}
	}
	for i := 0; i < len(d.obligations) && len(declined) > 0; i++ { // one that is added may have been declined as well
		o := d.obligations[i]
		p, is := declined[o.Obligation]
		if !is || p.MeetsMS != o.Invitation.GetMeetsMs() || !bytes.Equal(p.ContentDigest, d.contentOf(o).digest) {
			continue
		}
		delete(declined, o.Obligation)
		instead := proto.CloneOf(o.Notice)
		instead.Obligation = d.Key.ID("obligation", o.Obligation, "instead")
		instead.Invitation.InsteadOf = p.ID
		if next := int(p.Link) + 1; next < len(instead.Chain) {
			instead.Chain = instead.Chain[next:] // the deputy, and not another where the first was asked
		}
		instead.Because = "your organisation is invited to this strategy meeting, and whoever was to come has declined"
		d.obligations = append(d.obligations, &obligation{Notice: instead, view: o.view})
	}
}
