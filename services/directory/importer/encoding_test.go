package importer

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// wide is a text in UTF-16.
func wide(order binary.AppendByteOrder, mark, text string) string {
	out := []byte(mark)
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

func TestAFileInAnotherEncodingIsRefusedWithWhatToDoForItsFormat(t *testing.T) {
	s := filled(t, "")
	latin := func(text string) string { return strings.Replace(text, "Zoë", "Zo\xeb", 1) }
	ics := exported(t, "rota-google.ics")
	const little, big = "\xff\xfe", "\xfe\xff"
	for _, tc := range []struct{ name, format, file, fault, remedy string }{
		{"our own table in Windows-1252", PupilRoll, latin(sample(t, PupilRoll)), "line 2 is not UTF-8", saveTable},
		{"our own table in UTF-16", PupilRoll, wide(binary.LittleEndian, little, sample(t, PupilRoll)), "the file is UTF-16", saveTable},
		{"our own table in UTF-16 without a mark", PupilRoll, wide(binary.LittleEndian, "", sample(t, PupilRoll)), "the file is UTF-16", saveTable},
		{"our own table as a spreadsheet", PupilRoll, "PK\x03\x04\x00\x00", "line 1 holds a zero byte", saveTable},
		{"a calendar in Windows-1252", Rota, strings.Replace(ics, "SUMMARY:", "SUMMARY:Zo\xeb ", 1), "is not UTF-8", saveCalendar},
		{"a calendar in UTF-16", Rota, wide(binary.LittleEndian, little, ics), "the file is UTF-16", saveCalendar},
		{"a calendar in UTF-16, the other way round", Rota, wide(binary.BigEndian, big, ics), "the file is UTF-16", saveCalendar},
		{"a calendar of term dates in UTF-16", TermDates, wide(binary.BigEndian, "", exported(t, "terms-spans.ics")), "the file is UTF-16", saveCalendar},
		{"GIAS with bytes of no character", GIAS, strings.Replace(sample(t, GIAS), "\xe9", "\x81", 1), "line 3 is neither UTF-8 nor Windows-1252", downloadTable},
		{"GIAS in UTF-16", GIAS, wide(binary.LittleEndian, little, sample(t, Areas)), "the file is UTF-16", downloadTable},
		{"Ofsted's register as a spreadsheet", Ofsted, "PK\x03\x04\x00\x00", "line 1 holds a zero byte", downloadTable},
		{"postcodes in UTF-16", ONSPD, wide(binary.LittleEndian, little, sample(t, ONSPD)), "the file is UTF-16", downloadTable},
		{"postcodes in UTF-16 without a mark", ONSPD, wide(binary.BigEndian, "", sample(t, ONSPD)), "the file is UTF-16", downloadTable},
		{"postcodes as a spreadsheet", ONSPD, "PK\x03\x04\x00\x00", "line 1 holds a zero byte", downloadTable},
		{"bank holidays in UTF-16", BankHolidays, wide(binary.LittleEndian, little, sample(t, BankHolidays)), "the file is UTF-16", downloadAgain},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := request(tc.format)
			if strings.HasPrefix(tc.name, "a calendar") {
				req.Owner, req.Role = "ashmere-council", "duty"
			}
			res, err := Plan(req, strings.NewReader(tc.file), s, nil)
			if err == nil || notice.KindOf(err) != notice.Invalid || !strings.Contains(err.Error(), tc.fault) || !strings.Contains(err.Error(), tc.remedy+"; nothing was taken") {
				t.Fatalf("result %+v, error %v, want one of kind invalid with %q and %q", res, err, tc.fault, tc.remedy)
			}
			if strings.Contains(err.Error(), "Zo") {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}
