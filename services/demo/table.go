package demo

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// width is how wide the story is, in columns of a terminal.
const width = 100

// table lays cells out in columns of a fixed width, wrapping their words.
type table struct {
	out    io.Writer
	indent int
	widths []int
}

func (t table) row(cells ...string) {
	columns := make([][]string, len(cells))
	height := 0
	for i, c := range cells {
		columns[i] = wrap(c, t.widths[i])
		height = max(height, len(columns[i]))
	}
	for line := range height {
		var b strings.Builder
		b.WriteString(strings.Repeat(" ", t.indent))
		for i, c := range columns {
			text := ""
			if line < len(c) {
				text = c[line]
			}
			b.WriteString(text)
			if i < len(columns)-1 {
				b.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(text)+2))
			}
		}
		fmt.Fprintln(t.out, strings.TrimRight(b.String(), " "))
	}
}

func (t table) rule() {
	cells := make([]string, len(t.widths))
	for i, w := range t.widths {
		cells[i] = strings.Repeat("─", w)
	}
	t.row(cells...)
}

// wrap breaks a text into lines of at most so many characters. A line break in it stays; a word that is too long is cut.
func wrap(s string, to int) []string {
	var lines []string
	for _, paragraph := range strings.Split(s, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			for utf8.RuneCountInString(word) > to {
				if line != "" {
					lines, line = append(lines, line), ""
				}
				runes := []rune(word)
				lines, word = append(lines, string(runes[:to])), string(runes[to:])
			}
			switch {
			case line == "":
				line = word
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= to:
				line += " " + word
			default:
				lines, line = append(lines, line), word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// paragraph writes a text in lines, each indented.
func paragraph(out io.Writer, indent int, text string) {
	for _, line := range wrap(text, width-indent) {
		fmt.Fprintln(out, strings.Repeat(" ", indent)+line)
	}
}

// item writes a marked text whose further lines stand under its first.
func item(out io.Writer, indent int, mark, text string) {
	hang := utf8.RuneCountInString(mark) + 1
	for i, line := range wrap(text, width-indent-hang) {
		lead := mark
		if i > 0 {
			lead = strings.Repeat(" ", hang-1)
		}
		fmt.Fprintln(out, strings.Repeat(" ", indent)+lead+" "+line)
	}
}
