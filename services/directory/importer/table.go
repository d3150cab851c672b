package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// columns are the columns that a format reads.
type columns struct {
	required []string
	optional []string
	open     bool              // columns besides these are passed over, not refused
	aliases  map[string]string // other names of columns, in lower case
	given    []string          // the columns in order, where the file has no line of names
}

// progressEvery is how many rows pass between reports.
const progressEvery = 1000

// table reads a CSV file and hands over each of its rows that has as many columns as the header. It fails where the
// file as a whole is not to be trusted.
func (j *job) table(text string, c columns, each func(*line)) error {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	header, at, err := c.header(r)
	if err != nil {
		return err
	}
	short := int64(0)             // the line of the row before, where that had too few columns
	var ragged, firstRagged int64 // rows of another form than the first line, and the first of them
	unread := func(n int64) {     // such a row may be any row of the directory
		j.unread++
		if ragged++; ragged == 1 {
			firstRagged = n
		}
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		j.res.Read++
		if j.res.Read%progressEvery == 0 {
			j.progress(j.res.Read)
		}
		if err != nil {
			n, err := j.badQuote(r, len(text), err)
			if err != nil {
				return err
			}
			unread(n)
			continue
		}
		n, _ := r.FieldPos(0)
		l := &line{j: j, at: at, cells: cells, n: int64(n)}
		short = 0
		switch {
		case len(cells) < len(header):
			short = l.n
			l.fault("", fmt.Sprintf("the row has %d columns, the first line %d: give the missing ones, empty where there is nothing", len(cells), len(header)))
			unread(l.n)
		case len(cells) > len(header):
			l.fault("", fmt.Sprintf("the row has %d columns, the first line %d: put a value that holds a comma in double quotes", len(cells), len(header)))
			unread(l.n)
		default:
			each(l)
		}
	}
	if j.res.Read == 0 {
		return errors.New("it has column names and no rows: export it again")
	}
	if short > 0 {
		return fmt.Errorf("the last row, line %d, breaks off: the file was cut short; export it again", short)
	}
	if ragged > max(guardRows-1, j.res.Read/20) {
		return fmt.Errorf("%d of %d rows are not of the form of the first line, first line %d: export the file again", ragged, j.res.Read, firstRagged)
	}
	return nil
}

// badQuote reports a row with a stray quote and returns its line. A quote that runs over the end of its line swallowed
// other rows, and one that is open at the end of the file means that the rest is missing: then the file is refused.
func (j *job) badQuote(r *csv.Reader, size int, err error) (int64, error) {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return 0, fmt.Errorf("it cannot be read as CSV: %w", err)
	}
	if parse.Line != parse.StartLine || errors.Is(parse.Err, csv.ErrQuote) && r.InputOffset() >= int64(size) {
		return 0, fmt.Errorf("a double quote in the row of line %d is never closed, or the file was cut short: close or double the quote, or export the file again", parse.StartLine)
	}
	n := int64(parse.StartLine)
	j.reportAt(n, "", "has a double quote within a value: double it, and put the whole value in double quotes")
	return n, nil
}

// header reads the line of column names, or takes those that are given.
func (c columns) header(r *csv.Reader) (header []string, at map[string]int, err error) {
	if c.given != nil {
		at = make(map[string]int, len(c.given))
		for i, name := range c.given {
			at[name] = i
		}
		return c.given, at, nil
	}
	header, err = r.Read()
	if err != nil {
		return nil, nil, errors.New("it has no line of column names: put them in the first line")
	}
	at, err = c.find(header)
	return header, at, err
}

// find places the columns by name.
func (c columns) find(header []string) (map[string]int, error) {
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t|") {
		return nil, errors.New("its columns are not separated by commas: save it as CSV UTF-8 (comma delimited)")
	}
	known := make(map[string]string)
	for _, name := range append(append([]string(nil), c.required...), c.optional...) {
		known[strings.ToLower(name)] = name
	}
	for alias, name := range c.aliases {
		known[alias] = name
	}
	at := make(map[string]int)
	var twice, unknown []string
	for i, cell := range header {
		name, ok := known[strings.ToLower(strings.TrimSpace(cell))]
		switch {
		case !ok:
			unknown = append(unknown, fmt.Sprintf("%d", i+1))
		default:
			if _, dup := at[name]; dup {
				twice = append(twice, name)
			}
			at[name] = i
		}
	}
	var missing []string
	for _, name := range c.required {
		if _, ok := at[name]; !ok {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) > 0:
		return nil, fmt.Errorf("columns missing from the first line: %s; add them under exactly these names (docs/formats.md)", strings.Join(missing, ", "))
	case len(twice) > 0:
		return nil, fmt.Errorf("columns there twice: %s; keep one of each", strings.Join(twice, ", "))
	case len(unknown) > 0 && !c.open:
		return nil, fmt.Errorf("columns that this format does not have, by position: %s; correct their names or leave them out (it has %s)",
			strings.Join(unknown, ", "), strings.Join(append(append([]string(nil), c.required...), c.optional...), ", "))
	}
	return at, nil
}

// line is one row of a file. Reading a bad value reports it and marks the row.
type line struct {
	j     *job
	at    map[string]int
	cells []string
	n     int64
	bad   bool
	names map[string]bool // columns reported
}

// fault reports a column of the row, or all of it where column is empty. The first fault of a column stands.
func (l *line) fault(column, message string) {
	l.bad = true
	if l.names[column] {
		return
	}
	if l.names == nil {
		l.names = make(map[string]bool)
	}
	l.names[column] = true
	l.j.reportAt(l.n, column, message)
}

func (j *job) reportAt(n int64, column, message string) {
	j.res.Faults = append(j.res.Faults, &directoryv1.RowFault{Line: n, Column: column, Message: message})
	j.failed[column]++
	if j.failed[column] == 1 {
		j.firstFailed[column] = n
	}
}

// has says whether the file has a column.
func (l *line) has(column string) bool {
	_, ok := l.at[column]
	return ok
}

// text is a column's value, trimmed; empty where the file has no such column.
func (l *line) text(column string) string {
	i, ok := l.at[column]
	if !ok {
		return ""
	}
	s := strings.TrimSpace(l.cells[i])
	if garbled(s) {
		l.fault(column, "letters are garbled: the text was saved in one encoding and read in another; export it again as UTF-8")
		return ""
	}
	return s
}

func (l *line) required(column string) string {
	s := l.text(column)
	if s == "" {
		l.fault(column, "is empty: give a value")
	}
	return s
}

// garbled finds the traces of UTF-8 read as Windows-1252, and of characters lost.
func garbled(s string) bool {
	var last rune
	for _, r := range s {
		if r == '\ufffd' || last == 'Ã' && r >= 0x80 && r <= 0xbf || last == 'â' && r == '€' {
			return true
		}
		last = r
	}
	return false
}

// take files a row under its key: wanted, left as it is where the line is bad, or removed. A key that two lines have is
// left as it is.
func (l *line) take(row *directoryv1.Row, seen map[RowKey]int64, remove bool) {
	kind, id := directory.KeyOf(row)
	if id == "" {
		l.j.unread++
		return
	}
	key := RowKey{kind, id}
	if first, dup := seen[key]; dup {
		l.fault("", fmt.Sprintf("is about the same as line %d: keep one of them", first))
	} else {
		seen[key] = l.n
	}
	switch {
	case l.bad:
		delete(l.j.want, key)
		delete(l.j.drop, key)
		l.j.keep[key] = true
	case l.j.keep[key]:
	case remove:
		l.j.drop[key] = true
	default:
		l.j.want[key] = row
	}
}
