package engine

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// about is whom a notice is about, by the last decision of its lineage: the parties that a correction names count for what
// was decided before it too.
func (e *Engine) about(n *ledger.Notice) delivery.About {
	return delivery.About{
		Child: notice.ChildID(n.Child), Parties: directory.NewCircle(e.config.Key, e.state.Lineages[n.Lineage].Parties),
	}
}

// hadByParties lists the notices of a lineage that a contact has, or may have, who is a party by the decision to come:
// somebody has to be asked what that means. Those that are asked about already are left out.
func (e *Engine) hadByParties(l *ledger.Lineage, d *ledgerv1.Decision, asked []string) []string {
	if len(d.Parties) == 0 {
		return nil
	}
	snapshot, _ := e.Current()
	parties := directory.NewCircle(e.config.Key, d.Parties)
	var had []*ledger.Notice
	for _, id := range l.Standing {
		n := e.state.Notices[id]
		if !slices.Contains(asked, id) && slices.ContainsFunc(e.state.Holders(n), func(h ledger.Holder) bool {
			return parties.Among(snapshot.Contacts(notice.OrgID(h.Organisation)))[h.Contact] != ""
		}) {
			had = append(had, n)
		}
	}
	return e.state.Misdirected(had)
}
