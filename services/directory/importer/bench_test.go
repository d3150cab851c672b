package importer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// BenchmarkPlanRoll plans a county's roll of 100,000 pupils against the directory that already has it.
func BenchmarkPlanRoll(b *testing.B) {
	var file strings.Builder
	file.WriteString(rollHeader)
	for i := range 100_000 {
		name := string([]byte{byte('A' + i%26), byte('a' + i/26%26), byte('a' + i/676%26), byte('a' + i/17576)})
		fmt.Fprintf(&file, "A%d,,,Ada,%s,2015-05-01,900101,2026-09-01\n", i, name)
	}
	req := Request{Format: PupilRoll, Source: "ashmere-roll", Now: today(), Key: notice.Key{1}}
	s := filled(b, PupilRoll)
	s = apply(b, s, plan(b, req, file.String(), s))
	b.ReportAllocs()
	for b.Loop() {
		if res := plan(b, req, file.String(), s); res.Unchanged != 100_000 {
			b.Fatal(counts(res))
		}
	}
}
