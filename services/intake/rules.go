package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ruleFaults holds the event against the rules in the contract. The rules say what is allowed; the words for people,
// with a remedy, are here.
func (in *Intake) ruleFaults(ev *eventv1.Event, found *faults) {
	err := in.rules.Validate(ev)
	if err == nil {
		return
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		// A rule that cannot be run is a fault of ours, but the event must not pass for good.
		found.add(fieldEvent, "could not be held against the contract: tell the operator of Signalbox")
		return
	}
	for _, v := range invalid.Violations {
		if spokenFor(v) {
			continue
		}
		path := protovalidate.FieldPathString(v.Proto.GetField())
		switch {
		case path == "" && strings.HasPrefix(v.Proto.GetRuleId(), "children."):
			path = "children"
		case strings.HasPrefix(v.Proto.GetRuleId(), "child."):
			path += strings.TrimPrefix(v.Proto.GetRuleId(), "child") // of one child: which of its fields
		case path == "":
			path = fieldEvent
		}
		found.add(path, "%s", violation(v))
	}
}

// spokenFor tells whether checkEnvelope says more about a field than its pattern does.
func spokenFor(v *protovalidate.Violation) bool {
	if v.FieldDescriptor == nil {
		return false
	}
	switch v.FieldDescriptor.FullName() {
	case "signalbox.event.v1.Event.type", "signalbox.event.v1.Event.source":
		return v.FieldValue.IsValid() && v.FieldValue.String() != ""
	default:
		return false
	}
}

func violation(v *protovalidate.Violation) string {
	rule := v.Proto.GetRuleId()
	field := v.FieldDescriptor
	var hint string
	if field != nil {
		hint = hints[field.FullName()]
	}
	switch {
	case rule == "required" && field == nil:
		return "is missing: say what happened, with one of " + strings.Join(payloadNames(), ", ")
	case rule == "required":
		return "is missing: give it"
	case strings.HasPrefix(rule, "string.") && field != nil && hint != "":
		if v.FieldValue.IsValid() && v.FieldValue.String() == "" {
			return "is missing: " + hint
		}
		return "is not in the right form: " + hint
	case rule == "string.min_len":
		return "is missing: give it"
	case rule == "string.max_len":
		return fmt.Sprintf("is longer than %d characters: shorten it", v.RuleValue.Uint())
	case rule == "string.email":
		return "is not an email address: correct it, or leave it out"
	case rule == "repeated.min_items":
		return "is empty: give at least one"
	case rule == "repeated.max_items":
		return fmt.Sprintf("has more than %d entries: send fewer", v.RuleValue.Uint())
	case rule == "enum.not_in" && field != nil && v.FieldValue.IsValid() && v.FieldValue.Enum() == 0:
		return "is not stated: use " + enumNames(field.Enum())
	case strings.HasPrefix(rule, "enum.") && field != nil:
		return enumProblem(field)
	case strings.HasPrefix(rule, "uint32.") && field != nil:
		return "is out of range: " + ranges[field.FullName()]
	case rule == "children.refs_unique":
		return "have the same ref: give each child a ref of its own"
	case rule == "children.some":
		return "is empty: give at least one"
	case rule == "child.name":
		return "is missing: give it, or set unborn for a child who is not born yet"
	case rule == "child.date_of_birth":
		return "is missing, or given for an unborn child: give it as YYYY-MM-DD for a child who is born, and leave it out for one who is not"
	case rule == "organisation.named":
		return "is not named: give its id in the directory, or its name"
	default:
		return "breaks the rule " + rule + " of the contract: hold it against the published .proto files"
	}
}

// hints say what a field with a pattern wants. A test holds that there is one for each.
var hints = map[protoreflect.FullName]string{
	"signalbox.event.v1.Event.id":              "use 1 to 128 letters, digits and . _ : / -",
	"signalbox.event.v1.Event.source":          "give your agency's id, 2 to 39 lower-case letters, digits and hyphens",
	"signalbox.event.v1.Event.type":            "give the kind of the payload, such as encompass.incident",
	"signalbox.event.v1.Event.subject":         "give your reference of the incident, referral or meeting, 1 to 128 characters",
	"signalbox.event.v1.Event.area":            "give the GSS code of the local authority area, E, W, S or N and eight digits",
	"signalbox.event.v1.Event.supersedes":      "give the id of the event that this one corrects, or leave it out",
	"signalbox.event.v1.Child.ref":             "use 1 to 32 letters, digits and hyphens, a ref of the child's own that says nothing about the child",
	"signalbox.event.v1.Child.date_of_birth":   "give the date as YYYY-MM-DD",
	"signalbox.event.v1.Child.residence_area":  "give the GSS code of the area where the child lives, or leave it out",
	"signalbox.event.v1.Child.looked_after_by": "give the GSS code of the authority that looks after the child, or leave it out",
	"signalbox.event.v1.Person.ref":            "use 1 to 32 letters, digits and hyphens, a ref of the person's own that says nothing about the person",
	"signalbox.event.v1.Person.date_of_birth":  "give the date as YYYY-MM-DD, or leave it out",
	"signalbox.event.v1.Identifier.scheme":     "use upn, nhs, or local: and the name of your system",
	"signalbox.event.v1.Identifier.value":      "give it as issued, 1 to 64 characters, or leave the identifier out",
	"signalbox.event.v1.Participant.function":  "use a kind of organisation, such as police or health, or leave it out",
	"signalbox.event.v1.Action.due_on":         "give the date as YYYY-MM-DD, or leave it out",
	"signalbox.event.v1.Action.text":           "say what is to be done in 1 to 1000 characters",
	"signalbox.event.v1.EventWithdrawn.event":  "give the id of your own event that is withdrawn",
	"signalbox.event.v1.EventWithdrawn.reason": "give wrong_person, wrong_child, published_in_error or other",

	"signalbox.event.v1.Unborn.expected_on":                 "give the expected date of delivery as YYYY-MM-DD",
	"signalbox.event.v1.Unborn.mother_ref":                  "give the ref of the mother among the event's people or children",
	"signalbox.event.v1.Unborn.mother_born_on":              "give the date as YYYY-MM-DD, or leave it out",
	"signalbox.event.v1.PlacementNotified.placed_in":        "give the GSS code of the area where the child is placed",
	"signalbox.event.v1.Matter.agency":                      "give the id of the agency that published what you accept",
	"signalbox.event.v1.Matter.kind":                        "give the type of the event that you accept, such as enquiry.concluded",
	"signalbox.event.v1.Matter.reference":                   "give the reference on the notice that you accept, 1 to 128 characters",
	"signalbox.event.v1.ResponsibilityAccepted.accepted_by": "say who accepts for your authority, name and post, in 1 to 200 characters",
	"signalbox.event.v1.ProtectionPlanStarted.category":     "use neglect, physical, sexual, emotional, or several with commas between",
	"signalbox.event.v1.MedicalRequested.call_back":         "say whom to call to arrange it, post and number, in 1 to 200 characters",
	"signalbox.event.v1.EnrolmentChanged.on":                "give the first or last day as YYYY-MM-DD",
	"signalbox.event.v1.Manifest.day":                       "give the day as YYYY-MM-DD",
	"signalbox.event.v1.ManifestEntry.kind":                 "give the kind of the reference's events, such as encompass.incident",
	"signalbox.event.v1.ManifestEntry.subject":              "give the reference that you published as subject, 1 to 128 characters",
}

// ranges say what numbers a field takes.
var ranges = map[protoreflect.FullName]string{
	"signalbox.event.v1.Manifest.part":          "number the parts from 1, to 100 at most",
	"signalbox.event.v1.Manifest.parts":         "say how many parts the day's manifest has, 1 to 100",
	"signalbox.event.v1.ManifestEntry.children": "say how many children the reference is about, at least 1",
}

// payloadNames are the fields of which an event has one.
func payloadNames() []string {
	oneof := (&eventv1.Event{}).ProtoReflect().Descriptor().Oneofs().ByName("payload")
	names := make([]string, oneof.Fields().Len())
	for i := range names {
		names[i] = string(oneof.Fields().Get(i).Name())
	}
	return names
}

// kindOf gives the kind of the event's payload, "" where it has none.
func kindOf(ev *eventv1.Event) notice.EventKind {
	switch ev.GetPayload().(type) {
	case *eventv1.Event_EncompassIncident:
		return notice.EncompassIncident
	case *eventv1.Event_ReferralReceived:
		return notice.ReferralReceived
	case *eventv1.Event_ReferralDecided:
		return notice.ReferralDecided
	case *eventv1.Event_StrategyMeetingConvened:
		return notice.StrategyMeetingConvened
	case *eventv1.Event_StrategyMeetingConcluded:
		return notice.StrategyMeetingConcluded
	case *eventv1.Event_EnquiryConcluded:
		return notice.EnquiryConcluded
	case *eventv1.Event_ConferenceConcluded:
		return notice.ConferenceConcluded
	case *eventv1.Event_VulnerablePersonNoticeRaised:
		return notice.VulnerablePersonNoticeRaised
	case *eventv1.Event_MissingReported:
		return notice.MissingReported
	case *eventv1.Event_MissingFound:
		return notice.MissingFound
	case *eventv1.Event_ReturnInterviewCompleted:
		return notice.ReturnInterviewCompleted
	case *eventv1.Event_PoliceProtectionExercised:
		return notice.PoliceProtectionExercised
	case *eventv1.Event_PoliceProtectionEnded:
		return notice.PoliceProtectionEnded
	case *eventv1.Event_CustodyDetained:
		return notice.CustodyDetained
	case *eventv1.Event_CustodyReleased:
		return notice.CustodyReleased
	case *eventv1.Event_EventWithdrawn:
		return notice.EventWithdrawn
	case *eventv1.Event_PlacementNotified:
		return notice.PlacementNotified
	case *eventv1.Event_ResponsibilityAccepted:
		return notice.ResponsibilityAccepted
	case *eventv1.Event_ProtectionPlanStarted:
		return notice.ProtectionPlanStarted
	case *eventv1.Event_ProtectionPlanEnded:
		return notice.ProtectionPlanEnded
	case *eventv1.Event_MedicalRequested:
		return notice.MedicalRequested
	case *eventv1.Event_MedicalConcluded:
		return notice.MedicalConcluded
	case *eventv1.Event_EnrolmentChanged:
		return notice.EnrolmentChanged
	case *eventv1.Event_Manifest:
		return notice.Manifest
	default:
		return ""
	}
}

// freeTexts finds the fields that may hold several lines, by their label.
func freeTexts(root protoreflect.MessageDescriptor) map[protoreflect.FullName]bool {
	lines := []eventv1.Label{
		eventv1.Label_LABEL_NARRATIVE, eventv1.Label_LABEL_RESTRICTED, eventv1.Label_LABEL_RECORD,
		eventv1.Label_LABEL_DECISION, eventv1.Label_LABEL_DETAIL, eventv1.Label_LABEL_ACTION,
	}
	found := map[protoreflect.FullName]bool{}
	eachField(root, map[protoreflect.FullName]bool{}, func(fd protoreflect.FieldDescriptor) {
		label, _ := proto.GetExtension(fd.Options(), eventv1.E_Label).(eventv1.Label)
		if slices.Contains(lines, label) {
			found[fd.FullName()] = true
		}
	})
	return found
}

// eachField visits every field that a message of the kind can hold at any depth.
func eachField(desc protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool, visit func(protoreflect.FieldDescriptor)) {
	if seen[desc.FullName()] {
		return
	}
	seen[desc.FullName()] = true
	for i := range desc.Fields().Len() {
		fd := desc.Fields().Get(i)
		visit(fd)
		if fd.Message() != nil {
			eachField(fd.Message(), seen, visit)
		}
	}
}
