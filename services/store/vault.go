package store

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	vaultStream  = "VAULT"
	vaultSubject = "signalbox.vault"
)

// Vault keeps short texts that people gave (the name of who acknowledged, the reason of a resolution), where they can
// be erased. The ledger carries their numbers.
type Vault struct {
	store *Store
}

// Vault works on the stream that Provision has made.
func (s *Store) Vault() *Vault { return &Vault{store: s} }

// Keep stores a text and returns its number; it is durable then.
func (v *Vault) Keep(ctx context.Context, text string) (uint64, error) {
	ack, err := v.store.js.PublishMsg(ctx, newMsg(vaultSubject, nil, []byte(text)), jetstream.WithExpectStream(vaultStream))
	if err != nil {
		return 0, fault("store.KeepText", err)
	}
	return ack.Sequence, nil
}

// Get reads a text by its number. One that was erased is NotFound.
func (v *Vault) Get(ctx context.Context, number uint64) (string, error) {
	const op = "store.GetText"
	msg, err := v.store.get(ctx, vaultStream, number)
	if err != nil {
		return "", fault(op, err)
	}
	return string(msg.Data), nil
}

// Erase overwrites and removes a text. One that is gone already is no error.
func (v *Vault) Erase(ctx context.Context, number uint64) error {
	return fault("store.EraseText", v.store.erase(ctx, vaultStream, number))
}

func (s *Store) vaultConfig() jetstream.StreamConfig {
	return s.base(vaultStream, "Texts that people gave, erasable", vaultSubject)
}
