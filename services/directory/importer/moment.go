package importer

import (
	"errors"
	"regexp"
	"time"

	"github.com/signalbox-hq/signalbox/services/directory"
)

var momentPattern = regexp.MustCompile(`^(?:([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{2})/([0-9]{2})/([0-9]{4}))[ T]([0-9]{1,2}:[0-9]{2})(?: (GMT|BST))?$`)

// moment reads a date and time in the UK, such as 2026-10-24 20:00 or, as spreadsheets save it, 24/10/2026 20:00. What a
// clock change skips or repeats follows Date.At, unless GMT or BST says which of the two is meant.
func moment(s string) (time.Time, error) {
	m := momentPattern.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, errors.New("is not a date and time of the form YYYY-MM-DD HH:MM, such as 2026-10-24 20:00")
	}
	date, err := directory.ParseDate(m[1] + m[6] + "-" + m[2] + m[5] + "-" + m[3] + m[4])
	clock := m[7]
	if len(clock) == 4 {
		clock = "0" + clock
	}
	if err != nil || !directory.ValidClock(clock) {
		return time.Time{}, errors.New("is no date and time that there is: correct it")
	}
	at := date.At(clock)
	if m[8] == "" {
		return at, nil
	}
	for _, t := range []time.Time{at, at.Add(time.Hour)} { // the second, where the clock shows it twice
		if t.Format("MST") == m[8] && t.Format("15:04") == at.Format("15:04") {
			return t, nil
		}
	}
	return time.Time{}, errors.New("that zone is not in force then: leave GMT or BST out but for the hour that comes twice")
}

// moment is a date and time of a column.
func (l *line) moment(column string) time.Time {
	s := l.required(column)
	if s == "" {
		return time.Time{}
	}
	at, err := moment(s)
	if err != nil {
		l.fault(column, err.Error())
	}
	return at
}
