package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// The default policy is tested as its own guide says: over the events and the directory that lie beside it.
func TestTheDefaultPolicyPassesItsOwnExamples(t *testing.T) {
	var out, faults bytes.Buffer
	code := Run(t.Context(), Program{
		Args: []string{"policy", "test", filepath.Join("..", "policy", "default.yaml")}, In: strings.NewReader(""), Out: &out, Err: &faults,
	})
	if code != exitGood || faults.Len() > 0 {
		t.Errorf("status %d, faults %q:\n%s", code, faults.String(), out.String())
	}
}
