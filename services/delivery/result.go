package delivery

import (
	"fmt"
	"time"
)

// Outcome says how a send ended. The zero Outcome is invalid.
type Outcome int

// The outcomes of a send.
const (
	_         Outcome = iota
	Delivered         // the other side took responsibility for it
	Transient         // it did not arrive; worth another try
	Permanent         // it did not arrive, and will not at this endpoint
	Unknown           // it may have arrived: try again, marked as a possible duplicate
)

// String names the outcome.
func (o Outcome) String() string {
	switch o {
	case Delivered:
		return "delivered"
	case Transient:
		return "transient"
	case Permanent:
		return "permanent"
	case Unknown:
		return "unknown"
	default:
		return fmt.Sprintf("outcome %d", int(o))
	}
}

// Result is the end of a send.
type Result struct {
	Outcome    Outcome
	RetryAfter time.Duration // not before; 0 leaves it to the policy
	ThisOnly   bool          // a failure of this recipient alone: it says nothing about others behind the same endpoint
	Detail     string        // short code such as "smtp 550 5.1.1" or "no tls"; no personal data

	// Refused says that the address of the recipient was refused for good, as a bounce would say later; Status is the enhanced
	// status code that came with it, such as 5.1.1, or empty.
	Refused bool
	Status  string
}
