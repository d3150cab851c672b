package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// place is where something stands in the document: line and column from 1, and its path where it has one.
type place struct {
	line, column int
	path         string
}

// source finds places in the document.
type source struct {
	root  *yaml.Node
	lines []string
}

// at finds the node of a path of keys (string) and indices (int), or the nearest node around it where a part is missing.
func (s source) at(path ...any) place {
	node := s.root
	for _, step := range path {
		next := child(node, step)
		if next == nil {
			break
		}
		node = next
	}
	return place{line: node.Line, column: node.Column, path: pathText(path)}
}

// key finds the key of a mapping rather than its value: the value of a key that is wrong says nothing.
func (s source) key(name string, path ...any) place {
	found := s.at(append(slices.Clone(path), name)...)
	node := s.root
	for _, step := range path {
		if node = child(node, step); node == nil {
			return found
		}
	}
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				found.line, found.column = node.Content[i].Line, node.Content[i].Column
			}
		}
	}
	return found
}

func child(node *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case string:
		if node.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == step {
					return node.Content[i+1]
				}
			}
		}
	case int:
		if node.Kind == yaml.SequenceNode && step < len(node.Content) {
			return node.Content[step]
		}
	}
	return nil
}

func pathText(path []any) string {
	var b strings.Builder
	for i, step := range path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// within finds the place of a character of a scalar (lines from 1, columns from 0) whichever way the scalar is written:
// quoted, or over several lines. It walks the value along the source, white space counting as white space however much
// of it there is, and gives the scalar's own place where the two part ways (an escape).
func (s source) within(line, column int, path ...any) place {
	whole := s.at(path...)
	value := ""
	node := s.root
	for _, step := range path {
		if node = child(node, step); node == nil {
			return whole
		}
		value = node.Value
	}
	before, ok := upTo(value, line, column)
	if !ok {
		return whole
	}

	l, rest := node.Line-1, ""
	if l >= 0 && l < len(s.lines) {
		runes := []rune(s.lines[l])
		rest = string(runes[min(len(runes), max(node.Column-1, 0)):])
	}
	switch node.Style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		rest = ""
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		if rest != "" {
			rest = rest[1:]
		}
	}
	for begun := false; ; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if begun && before == "" && rest == "" { // the end of the value: nothing on the next line belongs to it
			return place{line: l + 1, column: utf8.RuneCountInString(s.lines[l]) + 1, path: whole.path}
		}
		before = strings.TrimLeftFunc(before, unicode.IsSpace)
		if rest == "" {
			if l++; l >= len(s.lines) {
				return whole
			}
			rest = s.lines[l]
			continue
		}
		if before == "" {
			column := utf8.RuneCountInString(s.lines[l]) - utf8.RuneCountInString(rest) + 1
			return place{line: l + 1, column: column, path: whole.path}
		}
		b, size := utf8.DecodeRuneInString(before)
		if r, _ := utf8.DecodeRuneInString(rest); b != r {
			return whole
		}
		before, rest, begun = before[size:], rest[size:], true
	}
}

// upTo is the part of the value before a place in it.
func upTo(value string, line, column int) (string, bool) {
	lines := strings.SplitAfter(value, "\n")
	if line < 1 || line > len(lines) {
		return "", false
	}
	runes := []rune(lines[line-1])
	if column < 0 || column > len(runes) {
		return "", false
	}
	return strings.Join(lines[:line-1], "") + string(runes[:column]), true
}

// faults collects what is wrong with a document.
type faults struct{ found []fault }

type fault struct {
	place
	message string
}

func (f *faults) add(at place, format string, args ...any) {
	f.found = append(f.found, fault{place: at, message: fmt.Sprintf(format, args...)})
}

// err is a fault of kind Invalid with every fault in the order of the document, nil where there is none. The field of
// each reads `12:5 rules[3].view`: line, column and path.
func (f *faults) err() error {
	if len(f.found) == 0 {
		return nil
	}
	slices.SortStableFunc(f.found, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column), cmp.Compare(a.message, b.message))
	})
	var fields []notice.FieldFault
	for _, x := range slices.Compact(f.found) {
		field := fmt.Sprintf("%d:%d", x.line, x.column)
		if x.path != "" {
			field += " " + x.path
		}
		fields = append(fields, notice.FieldFault{Field: field, Message: x.message})
	}
	return notice.InvalidFields("policy.Load", fields)
}
