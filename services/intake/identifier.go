package intake

import (
	"strings"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// identifierProblem checks the form of a child's identifier: a wrong one that passed for right would lead to another
// child. A code that says the UPN is unknown passes, since it leads to nobody.
func identifierProblem(id *eventv1.Identifier) string {
	value := id.GetValue()
	var err error
	switch {
	case value == "":
		return "" // the contract says so
	case strings.ContainsAny(value, " \u00a0"):
		return "has a space: give it as issued, without spaces"
	case id.GetScheme() == directory.SchemeUPN && !directory.UnknownUPN(value):
		err = directory.ValidUPN(strings.ToUpper(value))
	case id.GetScheme() == directory.SchemeNHS:
		err = directory.ValidNHSNumber(value)
	}
	if err != nil {
		return "is not right: " + err.Error()
	}
	return ""
}
