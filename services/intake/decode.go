package intake

import (
	"mime"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Media types.
const (
	typeProtobuf        = "application/protobuf"
	typeJSON            = "application/json"
	typeCloudEventsJSON = "application/cloudevents+json"
	typeCloudEvents     = "application/cloudevents" // with any suffix
)

const headerContentType = "Content-Type"

// Decode reads the event of a message in any of the three encodings. subject is the NATS subject, or "" where there is
// none. A message at fault gives notice.Invalid with every fault that was found, and what could be read of the event:
// nil where that is nothing.
//
// Decode holds the event against its encoding only. Validate holds it against the rules, Read does both.
func Decode(subject string, header Header, data []byte) (*eventv1.Event, error) {
	r := decode(subject, header, data)
	if len(r.faults) > 0 {
		return r.event, notice.InvalidFields("intake.Decode", r.faults.sorted())
	}
	return r.event, nil
}

// reading is what came of decoding.
type reading struct {
	event  *eventv1.Event
	faults faults
	broken bool // the data could not be read at all: what the event lacks says nothing
}

func (r *reading) fail(field, format string, args ...any) {
	r.broken = true
	r.faults.add(field, format, args...)
}

func decode(subject string, header Header, data []byte) *reading {
	r := &reading{}
	if subject != "" {
		if _, _, ok := splitSubject(subject); !ok {
			r.faults.add(fieldSubject, "is not a subject for events: publish on %s<agency>.<family>", subjectPrefix)
		}
	}
	contentType, ok := header.one(headerContentType)
	if !ok {
		r.fail(fieldContentType, "is there more than once: give it once")
		return r
	}
	switch {
	case len(data) == 0:
		r.fail(fieldEvent, "is empty: send the event as the message's data")
		return r
	case len(data) > MaxSize:
		r.fail(fieldEvent, "is longer than %d KiB: shorten its texts, or send fewer children in each event", MaxSize>>10)
		return r
	}

	media := mediaType(contentType)
	binary := header.hasPrefix(attributePrefix)
	switch {
	case strings.HasPrefix(media, typeCloudEvents) && binary:
		r.fail(fieldContentType, "says structured CloudEvents, but there are ce- headers as well: send one or the other")
	case media == typeCloudEventsJSON:
		r.structured(data)
	case strings.HasPrefix(media, typeCloudEvents):
		r.fail(fieldContentType, "is a form of CloudEvents that is not taken: send one event in each message, as %s", typeCloudEventsJSON)
	case binary:
		r.binary(media, header, data)
	case media == typeProtobuf:
		r.event = r.protobuf(fieldEvent, data)
	case contentType == "" && looksLikeJSON(data):
		// The NATS binding of CloudEvents 1.0 knows no headers: its clients send structured JSON alone. No protobuf
		// Event begins with a brace, so there is nothing to confuse it with.
		r.structured(data)
	case media == "":
		r.fail(fieldContentType, "is missing or cannot be read: say %s, or send CloudEvents", typeProtobuf)
	default:
		r.fail(fieldContentType, "is not one that is taken: use %s, %s, or ce- headers with %s", typeProtobuf, typeCloudEventsJSON, typeJSON)
	}
	return r
}

// protobuf reads the bytes of an event. whole is the path of those bytes.
func (r *reading) protobuf(whole string, data []byte) *eventv1.Event {
	ev := &eventv1.Event{}
	if err := proto.Unmarshal(data, ev); err != nil {
		// The library's error gives no path, and its text is not promised.
		found := wireFaults(ev.ProtoReflect().Descriptor(), data)
		if len(found) == 0 {
			found.add(whole, "cannot be read as a protobuf Event: encode it with the published .proto files")
		}
		for _, f := range found {
			if f.Field == fieldEvent {
				f.Field = whole
			}
			r.fail(f.Field, "%s", f.Message)
		}
		return nil
	}
	return ev
}

// one gives the only value of a header, "" where there is none, and false where there are several.
func (h Header) one(name string) (string, bool) {
	var found []string
	for key, values := range h {
		if strings.EqualFold(key, name) {
			found = append(found, values...)
		}
	}
	switch len(found) {
	case 0:
		return "", true
	case 1:
		return found[0], true
	default:
		return "", false
	}
}

func (h Header) hasPrefix(prefix string) bool {
	for key := range h {
		if hasPrefixFold(key, prefix) {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// mediaType gives a media type in one spelling, "" where it cannot be read or asks for letters other than UTF-8.
func mediaType(contentType string) string {
	if contentType == "" {
		return ""
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	if charset := params["charset"]; charset != "" && !slices.Contains([]string{"utf-8", "us-ascii"}, strings.ToLower(charset)) {
		return ""
	}
	switch media {
	case "application/x-protobuf", "application/vnd.google.protobuf":
		return typeProtobuf
	default:
		return media
	}
}
