package identity

import (
	"fmt"

	"github.com/nats-io/nkeys"
)

// NATSUser is what an agency's NATS client signs in with: the server knows the public key alone.
type NATSUser struct {
	PublicKey string // U…
	Seed      Secret // SU…
}

// NewNATSUser makes a fresh nkey user.
func NewNATSUser() (NATSUser, error) {
	const op = "identity.NewNATSUser"
	kp, err := nkeys.CreateUser()
	if err != nil {
		return NATSUser{}, fmt.Errorf("%s: %w", op, err)
	}
	defer kp.Wipe()
	public, err := kp.PublicKey()
	if err != nil {
		return NATSUser{}, fmt.Errorf("%s: %w", op, err)
	}
	seed, err := kp.Seed()
	if err != nil {
		return NATSUser{}, fmt.Errorf("%s: %w", op, err)
	}
	return NATSUser{PublicKey: public, Seed: Secret(append([]byte(nil), seed...))}, nil
}
