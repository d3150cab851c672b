package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// errReported ends a command with status 1 whose output has said already what is wrong.
var errReported = errors.New("reported")

// printFault says what went wrong: a line, and one for each field at fault.
func printFault(w io.Writer, err error) {
	if errors.Is(err, errReported) {
		return
	}
	fields := notice.FieldsOf(err)
	headline := faultText(err)
	switch {
	case len(fields) == 0:
		fmt.Fprintf(w, "signalbox: %s\n", headline)
	case headline == "":
		fmt.Fprintf(w, "signalbox: %s\n", countFaults(len(fields)))
	default:
		fmt.Fprintf(w, "signalbox: %s: %s\n", headline, countFaults(len(fields)))
	}
	printFields(w, fields)
}

func printFields(w io.Writer, fields []notice.FieldFault) {
	for _, f := range fields {
		fmt.Fprintf(w, "  %s: %s\n", f.Field, f.Message)
	}
}

func countFaults(n int) string {
	if n == 1 {
		return "1 fault"
	}
	return fmt.Sprintf("%d faults", n)
}

// faultText is the error's text without the names of operations, which are for logs. It is empty where the fault has
// fields and no more to say.
func faultText(err error) string {
	text := err.Error()
	var fault *notice.Error
	for e := err; errors.As(e, &fault); e = fault.Err {
		bare := ""
		switch {
		case fault.Err != nil:
			bare = fault.Err.Error()
		case len(fault.Fields) == 0:
			bare = fault.Kind.String()
		}
		text = strings.Replace(text, fault.Error(), bare, 1)
	}
	return strings.TrimSuffix(text, ": ")
}
