package rpc

import (
	"context"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Failing lists the contacts whose mail comes back, failing longest first.
func (s *ledgerService) Failing(ctx context.Context, _ *ledgerv1.FailingRequest) (*ledgerv1.FailingResponse, error) {
	snapshot, _ := s.Current()
	failing, err := s.failing(ctx, snapshot, s.key)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.FailingResponse{}
	for _, f := range failing {
		response.Contacts = append(response.Contacts, &ledgerv1.FailingContact{
			Contact: f.Contact, Organisation: f.Organisation, Role: f.Role, Code: f.Code, SinceMs: f.SinceMS,
			LastMs: f.LastMS, Bounces: f.Bounces, Notice: f.Notice,
		})
	}
	return response, nil
}

// failing are the contacts that the ledger has seen mail come back from and that the directory still has as they were.
func (d Deps) failing(ctx context.Context, snapshot *directory.Snapshot, key notice.Key) ([]ledger.Failing, error) {
	var seen []ledger.Failing
	if err := d.Engine.View(ctx, func(state *ledger.State) {
		for _, f := range state.FailingContacts() {
			seen = append(seen, *f)
		}
	}); err != nil {
		return nil, err
	}
	failing := seen[:0]
	for _, f := range seen {
		if row, ok := snapshot.Row(directory.KindContact, f.Contact); ok && delivery.Failing(&f, row.GetContact(), key) {
			failing = append(failing, f)
		}
	}
	return failing, nil
}

// failingNow says of a contact whether it is failing.
func (d Deps) failingNow(ctx context.Context, snapshot *directory.Snapshot, key notice.Key) (func(*directoryv1.Contact) bool, error) {
	failing, err := d.failing(ctx, snapshot, key)
	contacts := make(map[string]bool, len(failing))
	for _, f := range failing {
		contacts[f.Contact] = true
	}
	return func(c *directoryv1.Contact) bool { return contacts[c.GetId()] }, err
}
