package directory

import (
	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
)

// Seals says whether a restriction seals a child's whereabouts: the child is then answered, on every path, as one nobody
// knows. It is the one place that says so.
func Seals(r *directoryv1.Restriction) bool {
	return r.GetKind() == "protected_location" || r.GetKind() == "sealed_identity"
}
