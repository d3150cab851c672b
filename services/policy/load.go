package policy

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"buf.build/go/protoyaml"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// largest is the most text that a policy may have, in bytes.
const largest = 1 << 20

// Load reads a policy. A fault is of kind notice.Invalid and has a field fault for everything that is wrong, in the
// order of the document; its field is line, column and path: `12:5 rules[3].view`.
func Load(text []byte) (*Policy, error) {
	var f faults
	if !readable(text, &f) {
		return nil, f.err()
	}
	plain := bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	root, ok := parse(plain, &f)
	if !ok {
		return nil, f.err()
	}
	src := source{root: root, lines: strings.Split(string(plain), "\n")}

	document := new(policyv1.Policy)
	checkKeys(root, document.ProtoReflect().Descriptor(), nil, &f)
	if err := (protoyaml.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(plain, document); err != nil {
		addDecodingFaults(err, &f)
	}
	if err := addSchemaFaults(document, src, &f); err != nil {
		return nil, notice.Fault(notice.Internal, "policy.Load", err)
	}
	compiler, err := newConditions()
	if err != nil {
		return nil, notice.Fault(notice.Internal, "policy.Load", err)
	}
	c := checker{source: src, faults: &f, document: document, conditions: compiler}
	views := c.views()
	c.settings()
	rules := c.rules(views)
	priorities := c.priorities()
	needs := c.needs()
	list := c.list(views)
	if err := f.err(); err != nil {
		return nil, err
	}
	p := build(document, text, views, rules)
	p.priorities = priorities
	p.needs = needs
	p.list = list
	return p, nil
}

func build(document *policyv1.Policy, text []byte, views map[string]disclosure.View, rules []*Rule) *Policy {
	p := &Policy{
		document: document, text: slices.Clone(text), digest: Digest(text), views: views,
		byKind:    make(map[notice.EventKind][]*Rule),
		bases:     make(map[string]string),
		lanes:     make(map[string]ledgerv1.Lane),
		taskTimes: make(map[ledgerv1.TaskKind]time.Duration),
		fullText:  domainSet(document.GetFullTextDomains()),
		secure:    domainSet(document.GetSecureSubjectDomains()),
	}
	for _, r := range rules {
		for _, kind := range r.GetOn() {
			p.byKind[notice.EventKind(kind)] = append(p.byKind[notice.EventKind(kind)], r)
		}
	}
	for _, b := range document.GetBases() {
		p.bases[b.GetCode()] = b.GetText()
	}
	for grade, lane := range document.GetLanes() {
		p.lanes[grade] = laneNames()[lane]
	}
	for name, minutes := range document.GetTaskMinutes() {
		p.taskTimes[taskNames()[name]] = time.Duration(minutes) * time.Minute
	}
	return p
}

func domainSet(domains []string) map[string]bool {
	set := make(map[string]bool)
	for _, d := range domains {
		set[plainDomain(d)] = true
	}
	return set
}

// readable refuses what the YAML parser and this package would count lines of differently: after that a place is the
// same place for both.
func readable(text []byte, f *faults) bool {
	if len(text) > largest {
		f.add(place{line: 1, column: 1}, "the policy is larger than %d bytes: split it or shorten it", largest)
		return false
	}
	line, column := 1, 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		column++
		at := place{line: line, column: column}
		switch {
		case r == utf8.RuneError && size == 1:
			f.add(at, "this is not UTF-8: save the file as UTF-8")
			return false
		case r == '\n':
			line, column = line+1, 0
		case r == '\r' && bytes.HasPrefix(text[i:], []byte("\r\n")):
		case r == '\r', r == '\u0085', r == '\u2028', r == '\u2029':
			f.add(at, "this line ends with %U: end lines with a line feed", r)
			return false
		}
		i += size
	}
	return true
}

// parse gives the document's node: a mapping, an empty one for an empty document.
func parse(text []byte, f *faults) (*yaml.Node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		addSyntaxFault(err, f)
		return nil, false
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		f.add(place{line: second.Line, column: second.Column}, "a second document begins here: a policy is one document")
		return nil, false
	case !errors.Is(err, io.EOF):
		addSyntaxFault(err, f)
		return nil, false
	}
	empty := &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		return empty, true
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		f.add(place{line: root.Line, column: root.Column}, "a policy is a mapping: begin with `version:`")
		return nil, false
	}
	return root, true
}

var syntaxError = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?((?s).*)$`)

func addSyntaxFault(err error, f *faults) {
	at, message := place{line: 1, column: 1}, err.Error()
	if m := syntaxError.FindStringSubmatch(message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			at.line = n
		}
		message = m[2]
	}
	f.add(at, "this is not YAML: %s", message)
}

// checkKeys finds keys that the schema does not know and keys that stand twice. A key is written as in the schema; the
// other spellings that protobuf would take (camel case, field numbers) are not known.
func checkKeys(node *yaml.Node, message protoreflect.MessageDescriptor, path []any, f *faults) {
	if node.Kind != yaml.MappingNode {
		return // protoyaml says what it should be
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := place{line: key.Line, column: key.Column, path: pathText(path)}
		field := message.Fields().ByTextName(key.Value)
		if key.Kind != yaml.ScalarNode || field == nil {
			f.add(at, "unknown key %q: the keys here are %s", key.Value, strings.Join(fieldNames(message), ", "))
			continue
		}
		if seen[key.Value] {
			f.add(at, "the key %s stands twice: keep one", key.Value)
		}
		seen[key.Value] = true
		below := append(slices.Clone(path), key.Value)
		switch {
		case field.IsMap():
			checkMapKeys(value, below, f)
		case field.Message() == nil:
		case field.IsList() && value.Kind == yaml.SequenceNode:
			for j, item := range value.Content {
				checkKeys(item, field.Message(), append(slices.Clone(below), j), f)
			}
		default:
			checkKeys(value, field.Message(), below, f)
		}
	}
}

func checkMapKeys(node *yaml.Node, path []any, f *faults) {
	if node.Kind != yaml.MappingNode {
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if seen[key.Value] {
			f.add(place{line: key.Line, column: key.Column, path: pathText(path)}, "the key %s stands twice: keep one", key.Value)
		}
		seen[key.Value] = true
	}
}

func fieldNames(message protoreflect.MessageDescriptor) []string {
	var names []string
	for i := range message.Fields().Len() {
		names = append(names, message.Fields().Get(i).TextName())
	}
	return names
}

// decodingError is how protoyaml words an error without a file's name: place, message, and the line with a marker.
var decodingError = regexp.MustCompile(`^:([0-9]+):([0-9]+) ([^\n]*)`)

func addDecodingFaults(err error, f *faults) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // the errors of errors.Join, one by one
		all = joined.Unwrap()
	}
	for _, e := range all {
		at, message := place{line: 1, column: 1}, e.Error()
		if m := decodingError.FindStringSubmatch(message); m != nil {
			at.line, _ = strconv.Atoi(m[1])
			at.column, _ = strconv.Atoi(m[2])
			message = m[3]
		}
		f.add(at, "%s", message)
	}
}

// addSchemaFaults adds what the rules in the schema forbid. The error is of the schema itself.
func addSchemaFaults(document *policyv1.Policy, src source, f *faults) error {
	err := protovalidate.Validate(document)
	var invalid *protovalidate.ValidationError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &invalid):
		return err
	}
	for _, v := range invalid.Violations {
		f.add(src.at(steps(v.Proto.GetField())...), "%s", v.Proto.GetMessage())
	}
	return nil
}

func steps(path *validate.FieldPath) []any {
	var all []any
	for _, e := range path.GetElements() {
		all = append(all, e.GetFieldName())
		switch sub := e.GetSubscript().(type) {
		case *validate.FieldPathElement_Index:
			all = append(all, int(sub.Index))
		case *validate.FieldPathElement_StringKey:
			all = append(all, sub.StringKey)
		}
	}
	return all
}
