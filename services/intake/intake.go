package intake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// MaxSize is the largest event in bytes, in any encoding and without headers.
const MaxSize = 256 << 10

// Paths of what is not a field of an event.
const (
	fieldEvent       = "event"        // the message as a whole
	fieldContentType = "content_type" // the header of that name
	fieldSubject     = "nats_subject" // not the event's own subject
	fieldSpec        = "specversion"  // CloudEvents
	fieldData        = "data"         // CloudEvents
)

// Header is the header of a message. Names count without regard to case. nats.Header converts to it.
type Header map[string][]string

// Intake validates events. It is immutable and safe for use by several goroutines.
type Intake struct {
	rules     protovalidate.Validator
	freeTexts map[protoreflect.FullName]bool // fields that may hold several lines
}

// New compiles the rules that the contract holds.
func New() (*Intake, error) {
	event := &eventv1.Event{}
	rules, err := protovalidate.New(protovalidate.WithMessages(event), protovalidate.WithDisableLazy())
	if err != nil {
		return nil, notice.Fault(notice.Internal, "intake.New", err)
	}
	return &Intake{rules: rules, freeTexts: freeTexts(event.ProtoReflect().Descriptor())}, nil
}

// Read decodes and validates a message. Where it is at fault, the error (notice.Invalid) names every fault that both
// can find, and the event holds what could be read of it, for its id; it is nil where nothing could be.
func (in *Intake) Read(header Header, data []byte, c Check) (*eventv1.Event, error) {
	const op = "intake.Read"
	r := decode(c.Subject, header, data)
	if len(r.faults) == 0 {
		if found := in.Validate(r.event, c); len(found) > 0 {
			return r.event, notice.InvalidFields(op, found)
		}
		return r.event, nil
	}
	all := r.faults
	if !r.broken {
		// What could not be read is absent from the event: that it is missing there says nothing new.
		for _, f := range in.Validate(r.event, c) {
			if !r.faults.cover(f.Field) {
				all = append(all, f)
			}
		}
	}
	return r.event, notice.InvalidFields(op, all.sorted())
}

// faults collects what is wrong.
type faults []notice.FieldFault

func (f *faults) add(field, format string, args ...any) {
	if len(*f) == mostFaults {
		return
	}
	*f = append(*f, notice.FieldFault{Field: field, Message: fmt.Sprintf(format, args...)})
}

// cover tells whether a fault stands at the field or at what holds it.
func (f faults) cover(field string) bool {
	return slices.ContainsFunc(f, func(own notice.FieldFault) bool {
		rest, ok := strings.CutPrefix(field, own.Field)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// A message of nothing but unknown fields would be answered with a longer one, and sorting what is wrong with it would
// hold up the messages behind it.
const (
	maxFaults  = 100  // sent back
	mostFaults = 1000 // collected
)

// sorted gives the faults in one order whatever order they were found in, each once.
func (f faults) sorted() []notice.FieldFault {
	slices.SortFunc(f, func(a, b notice.FieldFault) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message, b.Message))
	})
	list := slices.Compact([]notice.FieldFault(f))
	if len(list) > maxFaults {
		list = append(list[:maxFaults:maxFaults], notice.FieldFault{
			Field: fieldEvent, Message: "has more faults: correct these first",
		})
	}
	return list
}
