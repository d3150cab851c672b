package routing

import (
	"fmt"
	"slices"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// A request to delete is answered within a day: the contact that has the notice is asked first, then, from four hours on,
// whoever else at the organisation would be told; after that somebody telephones.
const (
	deletionDue   = 24 * time.Hour
	deletionFirst = 4 * time.Hour
)

// ToDelete is a contact that has a notice it should not have, as a person confirmed that it may be asked to delete it.
type ToDelete struct {
	Notice       *ledgerv1.Notice // what it has
	Sources      []*ledgerv1.Source
	Organisation notice.OrgID
	Role         string
	Contact      string // empty where somebody was told by telephone
	Except       bool   // the person said not to ask this organisation
}

// DecideDeletion works out whom to ask to delete what: each contact that has a notice, or whoever stands in for it at its
// organisation. The request tells of no event and names nobody.
func DecideDeletion(all []ToDelete, r Round, f Facts) *ledgerv1.Decision {
	d := newDecider(f, r, nil)
	for _, t := range all {
		for i, src := range t.Sources {
			known := func(s *ledgerv1.Source) bool { return s.Event == src.Event }
			if i < len(t.Notice.Refs) && t.Notice.Refs[i] != "" && !slices.ContainsFunc(d.out.Sources, known) {
				d.out.Sources = append(d.out.Sources, src)
			}
		}
	}
	for _, t := range all {
		switch {
		case t.Except:
			d.consider(t.Organisation, "", t.Notice.Child, "a person said that it must not be asked to delete the notice")
		case slices.ContainsFunc(d.restrictions([]notice.ChildID{notice.ChildID(t.Notice.Child)}), directory.Seals):
			d.consider("", "", t.Notice.Child, "a restriction keeps everybody from being written to about it")
		case t.Contact == "":
			d.consider(t.Organisation, "", t.Notice.Child, "was told by telephone: nothing was sent that could be deleted")
		case t.Organisation == EventOrganisation:
			d.consider(t.Organisation, "", t.Notice.Child, "is named in the event only: ask by telephone or letter")
		default:
			d.askToDelete(t)
		}
	}
	return d.out
}

func (d *decider) askToDelete(t ToDelete) {
	n := &ledgerv1.Notice{
		Obligation: d.Key.ID("obligation", d.round.Lineage, t.Notice.Id, string(t.Organisation), t.Contact),
		Kind:       string(notice.DeletionRequest), Child: t.Notice.Child, Refs: make([]string, len(d.out.Sources)),
		Organisation: string(t.Organisation), Function: "holder", Lane: ledgerv1.Lane_LANE_HIGH,
		DueMs: d.Now.Add(deletionDue).UnixMilli(), DueBecause: "requests to delete are answered within a day",
		Acknowledge: true, Version: 1, Deletes: t.Notice.Id, Because: "you have a notice that must be deleted",
		ContentDigest: d.Key.Digest("content", []byte(t.Notice.Id)),
		Chain: []*ledgerv1.Link{
			{
				Organisation: string(t.Organisation), Roles: []string{t.Role}, Use: "any", Contact: t.Contact,
				OffsetMinutes: -int32((deletionDue - deletionFirst).Minutes()),
			},
			{Organisation: string(t.Organisation), Roles: rolesToAsk(t), Use: "any"},
		},
	}
	n.Id = d.Key.ID("notice", d.round.Lineage, fmt.Sprint(d.round.Number), n.Obligation)
	d.out.Notices = append(d.out.Notices, n)
}

// rolesToAsk are those of the organisation that the notice could have gone to.
func rolesToAsk(t ToDelete) []string {
	roles := []string{t.Role}
	for _, l := range t.Notice.Chain {
		for _, role := range l.Roles {
			if l.Organisation == string(t.Organisation) && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}
