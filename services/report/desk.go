package report

import (
	"context"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Desk is a contact who may report for an agency.
type Desk struct {
	Contact      string // id in the directory
	Mailbox      string // where codes go; a session ends when it changes
	Agency       notice.AgencyID
	Organisation string      // the agency's name
	Area         notice.Area // the local authority area it serves, or empty
}

// Desks is what the page needs of the directory and the post.
type Desks interface {
	// Find gives the desk with an address, or none. The caller must not let anybody see which.
	Find(address string) (Desk, bool)
	// Still gives the desk of a contact as the directory has it now, or none.
	Still(contact string) (Desk, bool)
	// SendCode mails a one-time code to a desk.
	SendCode(ctx context.Context, d Desk, code string) error
}

// Area is a local authority area that can be chosen.
type Area struct {
	Code notice.Area
	Name string
}

// Standing is what became of one child of a report, as its publisher may know it.
type Standing struct {
	Ref   string // the report's handle of the child
	State State
}

// State is where a child of a report stands. The zero State is a child of whom nothing is decided yet.
type State int

// The states.
const (
	_ State = iota
	Unmatched
	Told
	Acknowledged
	Late
	Withdrawn
)

// Sent is a report as it stands.
type Sent struct {
	Key      string // its name in the ledger, which says nothing about it
	Children []Standing
}

// Entrance takes reports in. Errors carry a notice.Kind: Invalid with fields where the report is at fault, Conflict where
// the form was sent before with other content, Unavailable where it is worth another try.
type Entrance interface {
	// Areas lists the areas that a report can be about, by name.
	Areas() []Area
	// Check gives every fault of a report.
	Check(d Desk, ev *eventv1.Event) []notice.FieldFault
	// Publish takes a report in, typed by a person. It is durable on return.
	Publish(ctx context.Context, d Desk, ev *eventv1.Event, person string) (Sent, error)
	// Look says where a report of the desk's agency stands. One that is not the agency's is NotFound.
	Look(ctx context.Context, d Desk, key string) (Sent, error)
}
