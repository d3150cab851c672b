package intake

import "time"

// moment is the instant that times are held against: when an event came, or when it says that it was. Where it is not known,
// nothing lies before or after it.
type moment struct {
	at    time.Time
	known bool
}

// isBefore says whether the moment lies before an instant, by more than a time.
func (m moment) isBefore(t time.Time, by time.Duration) bool { return m.known && t.After(m.at.Add(by)) }

// isAfter says whether the moment lies after an instant.
func (m moment) isAfter(t time.Time) bool { return m.known && m.at.After(t) }
