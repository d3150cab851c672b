package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/signalbox-hq/signalbox/services/directory"
)

// output chooses between answers for people and for programs.
type output struct {
	Output string `enum:"text,json" default:"text" help:"text for people, or json: the service's answer as one object."`
}

func (o output) json() bool { return o.Output == "json" }

// printJSON writes a message as one JSON object with the contract's field names. The library varies its spaces from
// build to build, so they are laid anew.
func printJSON(w io.Writer, m proto.Message) error {
	text, err := marshalJSON(m)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

// marshalJSON is the message in one line.
func marshalJSON(m proto.Message) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// table lays rows out in columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, header ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(header) > 0 {
		t.row(header...)
	}
	return t
}

func (t table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = plain(c)
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t table) flush() error { return t.w.Flush() }

// plain makes text of other people's making fit for a terminal: one line, and no control characters.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', r == 0x2028, r == 0x2029:
			return ' '
		case r < ' ', r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}

// moment is an instant in UK time, to the second: Tue 3 Nov 2026 21:15:00 GMT.
func moment(ms int64) string {
	return time.UnixMilli(ms).In(directory.London()).Format("Mon _2 Jan 2006 15:04:05 MST")
}

// minute is an instant in UK time, to the minute.
func minute(ms int64) string {
	return time.UnixMilli(ms).In(directory.London()).Format("Mon _2 Jan 2006 15:04 MST")
}

// enumName is an enum's value for reading: CAUSE_NOT_AT_SETTING is "not at setting".
func enumName(value fmt.Stringer, prefix string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(value.String(), prefix)), "_", " ")
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
