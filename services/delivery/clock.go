package delivery

import (
	"time"

	"github.com/signalbox-hq/signalbox/services/directory"
)

// Times are shown in Europe/London with GMT or BST named: in the repeated hour of October only that tells which is
// meant.
const (
	longClock  = "15:04 on Monday 2 January 2006 (MST)"
	shortClock = "15:04 Mon 2 Jan (MST)"
	longDate   = "2 January 2006"
)

// LongTime is an instant for a sentence: "08:30 on Friday 20 November 2026 (GMT)".
func LongTime(t time.Time, london *time.Location) string { return t.In(london).Format(longClock) }

// ShortTime is an instant for a subject line: "08:30 Fri 20 Nov (GMT)".
func ShortTime(t time.Time, london *time.Location) string { return t.In(london).Format(shortClock) }

// LongDate is a `YYYY-MM-DD` for reading: "4 March 2017". What is not a date stays as it is.
func LongDate(s string) string {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return d.Format(longDate)
}

// London is the zone that recipients are shown times in.
func London() *time.Location { return directory.London() }
