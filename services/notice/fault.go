package notice

import (
	"errors"
	"fmt"
	"strings"
)

// Kind classifies a fault by what its caller can do about it.
type Kind int

// The kinds of fault. The zero Kind is never used by a fault; KindOf answers Internal for an error without one.
const (
	_            Kind = iota
	Invalid           // the input is wrong: correct it and try again
	NotFound          // there is no such thing
	Conflict          // the state has moved on: read it again
	Denied            // the caller may not do this
	Unavailable       // not now: try again later
	Precondition      // the state does not allow it
	Internal          // a fault of our own
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Denied:
		return "denied"
	case Unavailable:
		return "unavailable"
	case Precondition:
		return "precondition"
	case Internal:
		return "internal"
	default:
		return fmt.Sprintf("kind %d", int(k))
	}
}

// Error is a classified fault. Its text never holds personal data.
type Error struct {
	Kind   Kind
	Op     string // where, for example "store.Append"
	Err    error
	Fields []FieldFault // what is wrong, by field, where the input is at fault
}

// FieldFault says what is wrong with one field of an input, and what to do.
type FieldFault struct {
	Field   string // path, for example "children[1].date_of_birth"
	Message string // what is wrong and the remedy; never the value
}

// Error describes the fault.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	switch {
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	default:
		b.WriteString(e.Kind.String())
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Field, f.Message)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fault classifies err as kind, seen at op. A nil err gives a fault all the same.
func Fault(kind Kind, op string, err error) error {
	return &Error{Kind: kind, Op: op, Err: err}
}

// Faultf classifies a new error with a message. The message must hold no personal data.
func Faultf(kind Kind, op, format string, args ...any) error {
	return &Error{Kind: kind, Op: op, Err: fmt.Errorf(format, args...)}
}

// InvalidFields is a fault of kind Invalid that names each field at fault.
func InvalidFields(op string, fields []FieldFault) error {
	return &Error{Kind: Invalid, Op: op, Fields: fields}
}

// KindOf returns the kind of the outermost classified fault in err's chain, Internal where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// FieldsOf returns the field faults of the outermost classified fault in err's chain.
func FieldsOf(err error) []FieldFault {
	var e *Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}
