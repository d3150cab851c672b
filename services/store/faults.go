package store

import (
	"strings"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Headers of a quarantined event that hold its faults: the n-th message belongs to the n-th field.
const (
	headerFaultField   = "Signalbox-Fault-Field"
	headerFaultMessage = "Signalbox-Fault-Message"
)

// FaultHeader puts the faults of an event into headers, for Quarantine. It replaces what a publisher sent under the
// same names.
func FaultHeader(faults []notice.FieldFault) Header {
	h := Header{headerFaultField: {}, headerFaultMessage: {}}
	for _, f := range faults {
		h[headerFaultField] = append(h[headerFaultField], headerText(f.Field))
		h[headerFaultMessage] = append(h[headerFaultMessage], headerText(f.Message))
	}
	return h
}

// FaultsOf reads what FaultHeader wrote.
func FaultsOf(h Header) []notice.FieldFault {
	fields, messages := h[headerFaultField], h[headerFaultMessage]
	faults := make([]notice.FieldFault, min(len(fields), len(messages)))
	for i := range faults {
		faults[i] = notice.FieldFault{Field: fields[i], Message: messages[i]}
	}
	return faults
}

// headerText keeps a text on one line: a line break would end the header, and outer spaces are not kept.
func headerText(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, s))
}
