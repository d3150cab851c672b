package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// largestFile bounds a file of events.
const largestFile = 256 << 20

// written is one event as a file has it. Its fault, where it has one, names every field that cannot be read.
type written struct {
	name  string // of the file, and the event's place in it where it has several: events.json[2]
	text  []byte // as a CloudEvent
	event *eventv1.Event
	fault error
}

// asCloudEvent is the header with which intake reads the text of a written event.
func asCloudEvent() intake.Header { return intake.Header{"Content-Type": {cloudEvents}} }

// label names the event for people.
func (w written) label() string {
	if id := w.event.GetId(); id != "" {
		return w.name + " " + plain(id)
	}
	return w.name
}

// readEvents reads a file of events, or the input for "-". A file that is not JSON is a fault as a whole.
func readEvents(in io.Reader, path string) ([]written, error) {
	const op = "cli.readEvents"
	name := path
	if path == "-" {
		name = "input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, notice.Faultf(notice.NotFound, op, "the file of events cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, largestFile+1))
	switch {
	case err != nil:
		return nil, notice.Faultf(notice.Unavailable, op, "%s cannot be read to its end: %w", name, err)
	case len(text) > largestFile:
		return nil, notice.Faultf(notice.Invalid, op, "%s is larger than %d MiB: split it", name, largestFile>>20)
	}
	values, err := splitJSON(text)
	if err != nil {
		return nil, notice.Faultf(notice.Invalid, op, "%s %w", name, err)
	}
	events := make([]written, len(values))
	for i, value := range values {
		events[i].name = name
		if len(values) > 1 {
			events[i].name = fmt.Sprintf("%s[%d]", name, i)
		}
		if events[i].text, err = cloudEvent(value); err != nil {
			return nil, err
		}
		events[i].event, events[i].fault = intake.Decode("", asCloudEvent(), events[i].text)
	}
	return events, nil
}

// readEvent reads a file that must hold one event.
func readEvent(in io.Reader, path string) (*eventv1.Event, error) {
	events, err := readEvents(in, path)
	switch {
	case err != nil:
		return nil, err
	case len(events) != 1:
		return nil, notice.Faultf(notice.Invalid, "cli.readEvent", "%s holds %d events: give a file with one", path, len(events))
	}
	return events[0].event, events[0].fault
}

// splitJSON gives the JSON values of a text: those of an array, or one after the other. Its error goes on from the
// file's name, and says nothing of the content.
func splitJSON(text []byte) ([]json.RawMessage, error) {
	var values []json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	for {
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, column := placeOf(text, int(offsetOf(err, d, len(text))))
			return nil, fmt.Errorf("is not well-formed JSON at line %d, column %d: correct it, or send it whole", line, column)
		}
		if v[0] != '[' {
			values = append(values, v)
			continue
		}
		var items []json.RawMessage
		if err := json.Unmarshal(v, &items); err != nil {
			return nil, errors.New("holds an array that cannot be read: correct it")
		}
		values = append(values, items...)
	}
	if len(values) == 0 {
		return nil, errors.New("holds no event: write one as a JSON object, or several in an array")
	}
	return values, nil
}

func offsetOf(err error, d *json.Decoder, size int) int64 {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return int64(size)
	case errors.As(err, &syntax):
		return max(syntax.Offset-1, 0)
	default:
		return d.InputOffset()
	}
}

// placeOf counts lines and columns from 1.
func placeOf(text []byte, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	last := bytes.LastIndexByte(before, '\n')
	return 1 + bytes.Count(before, []byte("\n")), 1 + len([]rune(string(before[last+1:])))
}

const cloudEvents = "application/cloudevents+json"

// cloudEvent gives one event, the JSON form of an Event or a CloudEvent, as a CloudEvent. Both go through intake, so that every
// unknown or misspelt field is named here as it would be there; an Event is put into a CloudEvent for it, which may
// repeat the data but not contradict it.
func cloudEvent(value json.RawMessage) ([]byte, error) {
	var head map[string]json.RawMessage
	_ = json.Unmarshal(value, &head) // what is no object is told so by intake
	if _, ok := head["specversion"]; !ok {
		envelope := map[string]any{"specversion": "1.0", "data": value}
		for _, attribute := range []string{"id", "source", "type"} {
			var text string
			_ = json.Unmarshal(head[attribute], &text) // what is no text is told so by intake, of the data
			envelope[attribute] = text
		}
		wrapped, err := marshalRaw(envelope)
		if err != nil {
			return nil, notice.Faultf(notice.Invalid, "cli.cloudEvent", "the event cannot be read as JSON")
		}
		return wrapped, nil
	}
	return value, nil
}

// marshalRaw writes JSON that keeps raw values as they are, down to bytes that are not UTF-8, so that they are found.
func marshalRaw(envelope map[string]any) ([]byte, error) {
	b := []byte("{")
	for _, name := range []string{"specversion", "id", "source", "type", "data"} {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), '"', ':')
		if raw, ok := envelope[name].(json.RawMessage); ok {
			b = append(b, raw...)
			continue
		}
		text, err := json.Marshal(envelope[name])
		if err != nil {
			return nil, err
		}
		b = append(b, text...)
	}
	return append(b, '}'), nil
}
