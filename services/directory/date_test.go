package directory

import (
	"testing"
	"time"
)

func TestAClockTimeIsAnInstantInLondon(t *testing.T) {
	for _, tc := range []struct{ name, date, clock, want string }{
		{"in winter it is GMT", "2026-01-15", "08:30", "2026-01-15T08:30:00Z"},
		{"in summer it is BST", "2026-07-15", "08:30", "2026-07-15T07:30:00Z"},
		{"the last minute before the October change of 2025 is BST", "2025-10-26", "00:59", "2025-10-25T23:59:00Z"},
		{"a repeated time in October 2025 is the first of the two", "2025-10-26", "01:00", "2025-10-26T00:00:00Z"},
		{"so is the last repeated minute", "2025-10-26", "01:59", "2025-10-26T00:59:00Z"},
		{"after the change it is GMT", "2025-10-26", "02:00", "2025-10-26T02:00:00Z"},
		{"a repeated time in October 2026 is the first of the two", "2026-10-25", "01:30", "2026-10-25T00:30:00Z"},
		{"the morning after the October change is GMT", "2026-10-26", "08:30", "2026-10-26T08:30:00Z"},
		{"the last minute before the March change is GMT", "2026-03-29", "00:59", "2026-03-29T00:59:00Z"},
		{"a skipped time in March is the change", "2026-03-29", "01:00", "2026-03-29T01:00:00Z"},
		{"so is the last skipped minute", "2026-03-29", "01:59", "2026-03-29T01:00:00Z"},
		{"after the change it is BST", "2026-03-29", "02:00", "2026-03-29T01:00:00Z"},
		{"the end of the day is the next midnight", "2026-03-29", "24:00", "2026-03-29T23:00:00Z"},
		{"a day of 25 hours ends with GMT", "2026-10-25", "24:00", "2026-10-26T00:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := date(t, tc.date).At(tc.clock).UTC().Format(time.RFC3339); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	for _, bad := range []string{"", "8:30", "08.30", "25:00", "24:01", "08:60", "ab:cd", "08:3o"} {
		if got := date(t, "2026-01-15").At(bad); !got.IsZero() {
			t.Errorf("At(%q) = %s, want the zero time", bad, got)
		}
	}
}

func TestADateIsTheOneThatLondonShows(t *testing.T) {
	for at, want := range map[string]string{
		"2026-07-14T22:59:59Z": "2026-07-14",
		"2026-07-14T23:00:00Z": "2026-07-15",
		"2026-01-14T23:59:59Z": "2026-01-14",
	} {
		if got := DateOf(instant(t, at)).String(); got != want {
			t.Errorf("DateOf(%s) = %s, want %s", at, got, want)
		}
	}
}

func TestDatesAreOrderedAndCounted(t *testing.T) {
	d := date(t, "2028-02-28")
	if got := d.AddDays(2).String(); got != "2028-03-01" {
		t.Errorf("two days after 28 February of a leap year is %s", got)
	}
	if !d.Before(d.AddDays(1)) || !d.After(d.AddDays(-1)) || !d.Equal(d.AddDays(0)) || d.Before(d) || d.After(d) {
		t.Error("dates are not ordered by day")
	}
	if d.Weekday() != time.Monday {
		t.Errorf("28 February 2028 is a %s, want Monday", d.Weekday())
	}
	if !(Date{}).IsZero() || (Date{}).String() != "" || d.IsZero() {
		t.Error("only the zero date is no date")
	}
	for _, bad := range []string{"", "2026-02-30", "01/09/2026", "2026-9-1", "2026-09-01T00:00:00Z"} {
		if _, err := ParseDate(bad); err == nil {
			t.Errorf("ParseDate(%q) accepts what is no date", bad)
		}
	}
}

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// instant reads RFC 3339, or a clock time in London as `2026-01-02 15:04`.
func instant(t testing.TB, s string) time.Time {
	t.Helper()
	if v, err := time.Parse(time.RFC3339, s); err == nil {
		return v
	}
	v, err := time.ParseInLocation("2006-01-02 15:04", s, London())
	if err != nil {
		t.Fatal(err)
	}
	return v
}
