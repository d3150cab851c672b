package query

import (
	"testing"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Execute changes a file as nobody should.
func Execute(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzCursor reads what may come from outside as a cursor: it is one that was handed out, in the one way to write it, or
// none.
func FuzzCursor(f *testing.F) {
	f.Add(cursor{after: 1}.String())
	f.Add(cursor{after: 1 << 62, of: fingerprint(&ledgerv1.SearchRequest{Organisation: "school"})}.String())
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := parseCursor(text)
		if ok && c.String() != text {
			t.Errorf("%q is read as %q", text, c.String())
		}
		if ok && c.after <= 0 {
			t.Errorf("%q goes on after %d", text, c.after)
		}
	})
}
