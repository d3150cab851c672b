package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Encoding is a way to put an event into a message.
type Encoding string

// The encodings, by the names that people write.
const (
	Protobuf          Encoding = "protobuf"
	CloudEventsBinary Encoding = "cloudevents-binary"
	CloudEventsJSON   Encoding = "cloudevents-json"
)

// Encodings lists every encoding.
func Encodings() []Encoding { return []Encoding{Protobuf, CloudEventsBinary, CloudEventsJSON} }

// ParseEncoding reads the name of an encoding.
func ParseEncoding(name string) (Encoding, error) {
	for _, e := range Encodings() {
		if name == string(e) {
			return e, nil
		}
	}
	return "", notice.Faultf(notice.Invalid, "intake.ParseEncoding",
		"an encoding is %s, %s or %s", Protobuf, CloudEventsBinary, CloudEventsJSON)
}

// Encode puts an event into a message that Decode gives back equal. The same event gives the same bytes. Encode does
// not validate.
func Encode(ev *eventv1.Event, enc Encoding) (Header, []byte, error) {
	const op = "intake.Encode"
	if ev == nil {
		return nil, nil, notice.Faultf(notice.Invalid, op, "there is no event")
	}
	var (
		header Header
		data   []byte
		err    error
	)
	switch enc {
	case Protobuf:
		header = Header{headerContentType: {typeProtobuf}}
		data, err = proto.MarshalOptions{Deterministic: true}.Marshal(ev)
	case CloudEventsBinary:
		header = Header{headerContentType: {typeJSON}, attributePrefix + fieldSpec: {specVersion}}
		for _, a := range attributes() {
			if text := a.get(ev); text != "" {
				header[attributePrefix+a.name] = []string{escapeHeader(text)}
			}
		}
		data, err = dataJSON(ev)
	case CloudEventsJSON:
		header = Header{headerContentType: {typeCloudEventsJSON}}
		data, err = structuredJSON(ev)
	default:
		return nil, nil, notice.Faultf(notice.Invalid, op, "the encoding is not one of %s, %s and %s",
			Protobuf, CloudEventsBinary, CloudEventsJSON)
	}
	if err != nil {
		// The library's errors can quote what they stumble on.
		return nil, nil, notice.Fault(notice.Invalid, op, errors.New("the event cannot be encoded: its texts must be UTF-8 and its times within years 1 to 9999"))
	}
	return header, data, nil
}

// MessageID is what the store tells a message by that comes twice within a moment. It names the content besides the event:
// other content under the same id has to reach the ledger, which refuses it.
func MessageID(ev *eventv1.Event, data []byte) string {
	sum := sha256.Sum256(data)
	return ev.GetId() + "#" + hex.EncodeToString(sum[:8])
}

func structuredJSON(ev *eventv1.Event) ([]byte, error) {
	content, err := dataJSON(ev)
	if err != nil {
		return nil, err
	}
	envelope := object{{fieldSpec, specVersion}}
	for _, a := range attributes() {
		if text := a.get(ev); text != "" {
			envelope = append(envelope, member{a.name, text})
		}
	}
	envelope = append(envelope, member{"datacontenttype", typeJSON}, member{fieldData, json.RawMessage(content)})
	return appendJSON(nil, envelope), nil
}

// dataJSON writes what is no attribute.
func dataJSON(ev *eventv1.Event) ([]byte, error) {
	rest := proto.Clone(ev).(*eventv1.Event)
	fields := rest.ProtoReflect().Descriptor().Fields()
	for _, a := range attributes() {
		rest.ProtoReflect().Clear(fields.ByTextName(a.name))
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(rest)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer // the library varies its spaces on purpose
	if err := json.Compact(&compact, text); err != nil {
		return nil, err
	}
	return compact.Bytes(), nil
}

// escapeHeader percent-encodes what a header cannot hold, as the HTTP binding of CloudEvents lays down: the NATS
// binding has headers from it.
func escapeHeader(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c <= ' ' || c > '~' || c == '"' || c == '%':
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
