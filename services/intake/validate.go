package intake

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Check is what an event is held against besides the contract.
type Check struct {
	Agency    notice.AgencyID        // who published it; nobody else's events pass
	Subject   string                 // NATS subject, "" by gRPC
	Now       time.Time              // when it came
	NoClock   bool                   // nothing is known of Now: what takes a clock is left to whoever checks again
	Kinds     []string               // the kinds that the agency may publish; none is all
	AreaKnown func(notice.Area) bool // nil lets every area pass
	Live      bool                   // a live service refuses exercises and tests
}

const (
	subjectPrefix = "signalbox.events."

	clockSkew  = 10 * time.Minute      // by which a publisher's clock may be ahead
	meetsAhead = 366 * 24 * time.Hour  // a meeting further off has a wrong year
	adultYears = 25                    // a child who has turned 18 is routing's business; this is a wrong person or year
	oldYears   = 120                   // of anyone
	earliest   = 946684800             // 2000-01-01T00:00:00Z
	eventsRoot = "signalbox.event.v1." // of the names of messages

	// maxParts is how many fields an event may have set, each entry of a list counted. The fullest that the contract
	// allows has about 3500; a quarter of a megabyte can hold a hundred thousand, and each can be at fault.
	maxParts = 5000
)

// Validate gives every fault of a decoded event, in order of field; none where it may be taken in. The event may come
// from any encoding, gRPC's included.
func (in *Intake) Validate(ev *eventv1.Event, c Check) []notice.FieldFault {
	var found faults
	if ev == nil {
		found.add(fieldEvent, "is missing: send one")
		return found
	}
	if proto.Size(ev) > MaxSize {
		found.add(fieldEvent, "is longer than %d KiB: shorten its texts, or send fewer children in each event", MaxSize>>10)
		return found // walking it would be work for nothing
	}
	came := moment{at: c.Now, known: !c.NoClock}
	w := walk{freeTexts: in.freeTexts, came: came, found: &found}
	w.message(ev.ProtoReflect(), nil)
	if w.parts > maxParts {
		found.add(fieldEvent, "has more than %d parts: send fewer children, people or participants", maxParts)
		return found.sorted()
	}
	in.ruleFaults(ev, &found)
	checkEnvelope(ev, c, &found)
	checkPeople(ev, came, &found)
	checkPayload(ev, came, &found)
	return found.sorted()
}

// walk checks what holds for every field of its type, wherever it stands.
type walk struct {
	freeTexts map[protoreflect.FullName]bool
	came      moment
	found     *faults
	parts     int
}

func (w *walk) message(m protoreflect.Message, at *place) {
	unknownFields(m, at, w.found)
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		here := place{holder: at, name: string(fd.Name()), index: -1}
		if !fd.IsList() {
			w.visit(fd, v, &here)
			return true
		}
		items := v.List()
		for i := range items.Len() {
			here.index = i
			w.visit(fd, items.Get(i), &here)
		}
		return true
	})
}

func (w *walk) visit(fd protoreflect.FieldDescriptor, v protoreflect.Value, at *place) {
	if w.parts++; w.parts > maxParts {
		return
	}
	switch fd.Kind() {
	case protoreflect.StringKind:
		if problem := textProblem(v.String(), w.freeTexts[fd.FullName()]); problem != "" {
			w.found.add(at.String(), "%s", problem)
		}
	case protoreflect.MessageKind:
		if t, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			if problem := timeProblem(t, w.came, mayLieAhead(fd.FullName())); problem != "" {
				w.found.add(at.String(), "%s", problem)
			}
			unknownFields(v.Message(), at, w.found)
			return
		}
		w.message(v.Message(), at)
	default: // enums and truth values are the contract's
	}
}

// mayLieAhead says whether a time is one of something that is still to come.
func mayLieAhead(field protoreflect.FullName) bool {
	switch strings.TrimPrefix(string(field), eventsRoot) {
	case "StrategyMeetingConvened.meets_at", "PlacementNotified.begins_at", "ProtectionPlanStarted.core_group_meets_at",
		"MedicalRequested.needed_by", endsBy:
		return true
	default:
		return false
	}
}

func unknownFields(m protoreflect.Message, at *place, found *faults) {
	if len(m.GetUnknown()) == 0 {
		return
	}
	seen := map[protowire.Number]bool{}
	for raw := m.GetUnknown(); len(raw) > 0; {
		number, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			found.add(at.String(), "has bytes that are no field: encode it with the published .proto files")
			return
		}
		raw = raw[n:]
		if seen[number] {
			continue
		}
		seen[number] = true
		if fd := m.Descriptor().Fields().ByNumber(number); fd != nil {
			found.add(at.field(fd).String(), "is encoded as another type: encode it with the published .proto files")
			continue
		}
		found.add(at.String(), "has field number %d, which the contract does not: leave it out, or update Signalbox first", number)
	}
}

func timeProblem(t *timestamppb.Timestamp, came moment, ahead bool) string {
	switch {
	case t.CheckValid() != nil:
		return "is not a time that can be held: give seconds since 1970 and nanoseconds from 0 to 999999999"
	case t.GetSeconds() < earliest:
		return "is before the year 2000: correct the year"
	case ahead && came.isBefore(t.AsTime(), meetsAhead):
		return "is more than a year ahead: correct the year"
	case !ahead && came.isBefore(t.AsTime(), clockSkew):
		return "is in the future: check the time, its offset and your clock"
	default:
		return ""
	}
}

// textProblem finds what must not reach a mail or a page: characters that break a line, or turn its direction so that it
// reads as something else.
func textProblem(s string, lines bool) string {
	for _, r := range s {
		switch {
		case lines && (r == '\n' || r == '\r' || r == '\t'):
		case r == '\n' || r == '\r' || r == '\t':
			return "has a line break or tab: write it on one line"
		case r < ' ', r >= 0x7F && r <= 0x9F:
			return "has a control character: take it out"
		case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
			return "has a character that turns the direction of text: take it out"
		}
	}
	return ""
}

func checkEnvelope(ev *eventv1.Event, c Check, found *faults) {
	kind := kindOf(ev)
	known := slices.Contains(notice.PublishedKinds(), notice.EventKind(ev.GetType()))
	switch {
	case ev.GetType() == "": // the contract says so
	case !known:
		found.add("type", "is not a kind of event that is known: use %s", kindList(notice.PublishedKinds()))
	case kind != "" && string(kind) != ev.GetType():
		found.add("type", "is not the kind of the payload: with this payload it is %s", kind)
	case kind == notice.EventWithdrawn, kind == notice.Manifest: // whatever an agency may publish, it may take back, and list
	case len(c.Kinds) > 0 && !slices.Contains(c.Kinds, ev.GetType()):
		found.add("type", "is a kind that agency %s may not publish: ask the operator of Signalbox to allow it", c.Agency)
	}

	if ev.GetSource() != "" && ev.GetSource() != string(c.Agency) {
		found.add("source", "is another agency's id: an agency publishes as itself, here as %s", c.Agency)
	}
	if c.Subject != "" {
		checkSubject(ev, c, known, found)
	}

	if area, err := notice.ParseArea(ev.GetArea()); err == nil && c.AreaKnown != nil && !c.AreaKnown(area) {
		found.add("area", "is not an area that this service knows: check the code, or ask the operator of Signalbox to add it")
	}
	if ev.GetSubject() != "" && strings.TrimSpace(ev.GetSubject()) == "" {
		found.add("subject", "is blank: %s", hints["signalbox.event.v1.Event.subject"])
	}
	if ev.GetSupersedes() != "" && ev.GetSupersedes() == ev.GetId() {
		found.add("supersedes", "is the event's own id: give the correction an id of its own")
	}
	if c.Live && (ev.GetTraffic() == eventv1.Traffic_TRAFFIC_EXERCISE || ev.GetTraffic() == eventv1.Traffic_TRAFFIC_TEST) {
		found.add("traffic", "is not live, and this service is: publish exercises and tests to the service for them")
	}
}

func checkSubject(ev *eventv1.Event, c Check, known bool, found *faults) {
	agency, family, ok := splitSubject(c.Subject)
	switch {
	case !ok:
		found.add(fieldSubject, "is not a subject for events: publish on %s<agency>.<family>", subjectPrefix)
	case agency != string(c.Agency):
		found.add(fieldSubject, "is another agency's: publish on %s%s.<family>", subjectPrefix, c.Agency)
	case known && family != notice.EventKind(ev.GetType()).Family():
		own := notice.EventKind(ev.GetType())
		found.add(fieldSubject, "is not the one for events of type %s: publish on %s%s.%s", own, subjectPrefix, c.Agency, own.Family())
	}
}

// splitSubject takes signalbox.events.<agency>.<family> apart.
func splitSubject(subject string) (agency, family string, ok bool) {
	rest, ok := strings.CutPrefix(subject, subjectPrefix)
	if !ok {
		return "", "", false
	}
	agency, family, ok = strings.Cut(rest, ".")
	return agency, family, ok && agency != "" && family != "" && !strings.Contains(family, ".")
}

func kindList(kinds []notice.EventKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return orList(names)
}
