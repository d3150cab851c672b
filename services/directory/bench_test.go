package directory

import (
	"fmt"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// validUPN makes the UPN of a running number.
func validUPN(n int) string {
	body := fmt.Sprintf("8012%08d", n)
	for _, letter := range upnLetters {
		if upn := string(letter) + body; ValidUPN(upn) == nil {
			return upn
		}
	}
	return ""
}

func town(children int) []*directoryv1.Row {
	rows := make([]*directoryv1.Row, children)
	for i := range rows {
		rows[i] = ChildRow(&directoryv1.Child{
			Id: fmt.Sprintf("child%015d", i), Given: fmt.Sprintf("Given%d", i%997), Family: fmt.Sprintf("Family-%d", i%9973),
			DateOfBirth: (Date{2009, 9, 1}).AddDays(i % 5000).String(),
			Identifiers: []*directoryv1.Identifier{{Scheme: "upn", Value: validUPN(i)}},
			Enrolments:  []*directoryv1.Enrolment{{Setting: fmt.Sprintf("gias:%06d", i%500), Source: "roll"}},
		})
	}
	return rows
}

// BenchmarkBuild builds the snapshot of a county's 100,000 children. Its B/op is what the indices cost, besides rows.
func BenchmarkBuild(b *testing.B) {
	rows := town(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(1, rows); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMatch finds one child among 100,000, by identifier and by name.
func BenchmarkMatch(b *testing.B) {
	rows := town(100_000)
	s := build(b, rows...)
	c := rows[54_321].GetChild()
	for _, bc := range []struct {
		name string
		q    Query
		want ledgerv1.Match
	}{
		{"identifier", Query{Family: c.GetFamily(), Identifiers: []Identifier{{"upn", c.GetIdentifiers()[0].GetValue()}}}, ledgerv1.Match_MATCH_IDENTIFIER},
		{"name", Query{Given: c.GetGiven(), Family: c.GetFamily(), DateOfBirth: c.GetDateOfBirth()}, ledgerv1.Match_MATCH_NAME},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := s.Match(bc.q); got.Kind != bc.want {
					b.Fatalf("found %+v", got)
				}
			}
		})
	}
}
