package intake

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

// CloudEvents: the envelope is its attributes and four extensions; the data is an Event that holds the rest. The data
// may repeat the envelope but not contradict it.

const (
	attributePrefix = "ce-"
	specVersion     = "1.0"
)

// attribute is a field of the envelope as a CloudEvents attribute of the same name.
type attribute struct {
	name     string
	required bool // by CloudEvents
	get      func(*eventv1.Event) string
	set      func(*eventv1.Event, string) (problem string)
}

// attributes are those that an event has, in the order in which they are written.
func attributes() []attribute {
	return []attribute{
		{"id", true, (*eventv1.Event).GetId, func(ev *eventv1.Event, s string) string { ev.Id = s; return "" }},
		{"source", true, (*eventv1.Event).GetSource, func(ev *eventv1.Event, s string) string { ev.Source = s; return "" }},
		{"type", true, (*eventv1.Event).GetType, func(ev *eventv1.Event, s string) string { ev.Type = s; return "" }},
		{"subject", false, (*eventv1.Event).GetSubject, func(ev *eventv1.Event, s string) string { ev.Subject = s; return "" }},
		{"time", false, getTime, setTime},
		{"area", false, (*eventv1.Event).GetArea, func(ev *eventv1.Event, s string) string { ev.Area = s; return "" }},
		{"supersedes", false, (*eventv1.Event).GetSupersedes, func(ev *eventv1.Event, s string) string { ev.Supersedes = s; return "" }},
		{"traffic", false, getTraffic, setTraffic},
		{"risk", false, getRisk, setRisk},
	}
}

// Attributes that CloudEvents or its extensions define and that say nothing about an event of ours.
var ignoredAttributes = []string{"dataschema", "traceparent", "tracestate"}

const timeFormat = "2006-01-02T15:04:05.999999999Z07:00"

func getTime(ev *eventv1.Event) string {
	if ev.GetTime() == nil {
		return ""
	}
	return ev.GetTime().AsTime().Format(timeFormat)
}

func setTime(ev *eventv1.Event, s string) string {
	t, problem := parseTime(s)
	if problem == "" {
		ev.Time = timestamppb.New(t)
	}
	return problem
}

const (
	trafficPrefix = "TRAFFIC_"
	riskPrefix    = "RISK_GRADE_"
)

func getTraffic(ev *eventv1.Event) string {
	return shortName(ev.GetTraffic().String(), trafficPrefix, ev.GetTraffic() == 0)
}

func setTraffic(ev *eventv1.Event, s string) string {
	n, ok := eventv1.Traffic_value[longName(s, trafficPrefix)]
	if !ok {
		return "is not a value that is known: use live, exercise or test"
	}
	ev.Traffic = eventv1.Traffic(n)
	return ""
}

func getRisk(ev *eventv1.Event) string {
	return shortName(ev.GetRisk().String(), riskPrefix, ev.GetRisk() == 0)
}

func setRisk(ev *eventv1.Event, s string) string {
	n, ok := eventv1.RiskGrade_value[longName(s, riskPrefix)]
	if !ok {
		return "is not a value that is known: use standard, medium or high"
	}
	ev.Risk = eventv1.RiskGrade(n)
	return ""
}

// shortName writes an enum as an attribute: live for TRAFFIC_LIVE.
func shortName(name, prefix string, zero bool) string {
	if zero {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(name, prefix))
}

// longName accepts the short form and the contract's own.
func longName(s, prefix string) string {
	if strings.HasPrefix(s, prefix) {
		return s
	}
	return prefix + strings.ToUpper(s)
}

// binary reads CloudEvents binary mode: attributes in headers, the data alone as the message.
func (r *reading) binary(media string, header Header, data []byte) {
	all := map[string][]string{}
	for key, values := range header {
		if hasPrefixFold(key, attributePrefix) {
			name := strings.ToLower(key[len(attributePrefix):])
			all[name] = append(all[name], values...)
		}
	}
	given := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if len(all[name]) != 1 {
			r.faults.add(attributePath(name), "is not in the headers exactly once: give one %s with one value", attributePrefix+attributePath(name))
			given[name] = "" // there, though it says nothing
			continue
		}
		text := all[name][0]
		plain, err := url.PathUnescape(text)
		if err != nil {
			r.faults.add(attributePath(name), "has a %% that begins no escape: percent-encode header values (%% is %%25)")
		}
		if !utf8.ValidString(plain) {
			r.faults.add(attributePath(name), "is not UTF-8: percent-encode the bytes of its UTF-8")
		}
		given[name] = plain
	}
	if given["datacontenttype"] != "" { // some clients keep CloudEvents' own name for it
		own := mediaType(given["datacontenttype"])
		if media != "" && own != media {
			r.faults.add(fieldContentType, "differs from ce-datacontenttype: leave that header out")
		}
		media = own
	}
	delete(given, "datacontenttype")

	var inner *eventv1.Event
	switch media {
	case typeJSON:
		v, err := parseJSON(data)
		if err != nil {
			r.fail(fieldData, "%s", err)
			break
		}
		inner = r.jsonForm(v)
	case typeProtobuf:
		inner = r.protobuf(fieldData, data)
	default:
		r.fail(fieldContentType, "does not say what the data is: use %s or %s, in UTF-8", typeProtobuf, typeJSON)
	}
	r.assemble(inner, given)
}

// structured reads CloudEvents structured JSON.
func (r *reading) structured(data []byte) {
	v, err := parseJSON(data)
	if err != nil {
		r.fail(fieldEvent, "%s", err)
		return
	}
	envelope, ok := v.(object)
	if !ok {
		r.fail(fieldEvent, "is not a JSON object: send one CloudEvent as an object")
		return
	}
	given := map[string]string{}
	seen := map[string]bool{}
	var content, encoded value
	for _, m := range envelope {
		if seen[m.name] {
			r.faults.add(attributePath(m.name), "is there more than once: give it once")
			continue
		}
		seen[m.name] = true
		switch m.name {
		case "data":
			content = m.value
			continue
		case "data_base64":
			encoded = m.value
			continue
		}
		switch v := m.value.(type) {
		case nil: // null is absent
		case string:
			given[m.name] = v
		default:
			if !misplaced(m.name) { // of one that is, assemble says more
				r.faults.add(attributePath(m.name), "is not text: put it in quotation marks")
			}
			given[m.name] = "" // there, though it says nothing
		}
	}
	media := typeJSON // what CloudEvents takes it for where nothing is said
	if own, ok := given["datacontenttype"]; ok {
		media = mediaType(own)
	}
	delete(given, "datacontenttype")
	r.assemble(r.structuredData(media, content, encoded), given)
}

func (r *reading) structuredData(media string, content, encoded value) *eventv1.Event {
	switch {
	case media != typeJSON && media != typeProtobuf:
		r.fail("datacontenttype", "is not one that is taken: use %s, or %s in data_base64", typeJSON, typeProtobuf)
	case content != nil && encoded != nil:
		r.fail(fieldData, "is there as data_base64 as well: send one of the two")
	case content != nil && media == typeJSON:
		return r.jsonForm(content)
	case content != nil:
		r.fail(fieldData, "is not protobuf, as datacontenttype says: send protobuf in data_base64, or say %s", typeJSON)
	case encoded != nil:
		text, ok := encoded.(string)
		raw, err := base64.StdEncoding.DecodeString(text)
		switch {
		case !ok || err != nil:
			r.fail("data_base64", "is not base64: encode it with the standard alphabet and padding")
		case media == typeProtobuf:
			return r.protobuf("data_base64", raw)
		default:
			v, err := parseJSON(raw)
			if err != nil {
				r.fail("data_base64", "%s", err)
				return nil
			}
			return r.jsonForm(v)
		}
	default:
		r.fail(fieldData, "is missing: put the Event message there, without the fields that are attributes")
	}
	return nil
}

// assemble makes the event of its data and its attributes, and holds the two against each other.
func (r *reading) assemble(inner *eventv1.Event, given map[string]string) {
	ev := inner
	if ev == nil {
		ev = &eventv1.Event{}
	}
	r.event = ev

	version, ok := given["specversion"]
	switch {
	case !ok:
		r.faults.add(fieldSpec, "is missing: say %s", specVersion)
	case version != specVersion:
		r.faults.add(fieldSpec, "is not one that is taken: use CloudEvents %s", specVersion)
	}
	delete(given, "specversion")

	for _, a := range attributes() {
		text, ok := given[a.name]
		delete(given, a.name)
		switch {
		case !ok && a.required:
			r.faults.add(a.name, "is missing: CloudEvents requires it as an attribute")
			continue
		case !ok:
			continue // what the data says counts
		case r.faults.cover(a.name):
			continue // it could not be read
		}
		before := a.get(ev)
		if problem := a.set(ev, text); problem != "" {
			r.faults.add(a.name, "%s", problem)
			continue
		}
		if before != "" && before != a.get(ev) {
			r.faults.add(a.name, "says one thing as an attribute and another in the data: leave it out of the data")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case slices.Contains(ignoredAttributes, name):
		case misplaced(name):
			r.faults.add(name, "is a field of the Event and not an attribute: move it into the data")
		default:
			r.faults.add(attributePath(name), "is not an attribute of the contract: correct its spelling or leave it out")
		}
	}
}

// attributePath gives an attribute's name where it looks like one: a key may hold anything.
func attributePath(name string) string {
	if fieldName.MatchString(name) {
		return name
	}
	return fieldEvent
}

// misplaced tells whether an attribute is a field of the event that belongs into the data.
func misplaced(name string) bool {
	fields := (*eventv1.Event)(nil).ProtoReflect().Descriptor().Fields()
	return (fields.ByTextName(name) != nil || fields.ByJSONName(name) != nil) &&
		!slices.ContainsFunc(attributes(), func(a attribute) bool { return a.name == name })
}
