package clock

import "time"

// Machine reads a machine's two clocks: the one that people set, and the one that only ever goes on.
type Machine interface {
	// Read returns the time of day, and the time passed since some instant that stays the same while the process lives.
	Read() (wall time.Time, elapsed time.Duration)
}

// Hardware is the clocks of this machine. Make it with NewHardware.
type Hardware struct{ began time.Time }

// NewHardware reads the clocks of this machine.
func NewHardware() Hardware { return Hardware{began: time.Now()} }

// Read returns both clocks. The second goes on while the machine sleeps, where the system has such a clock: else a machine
// that wakes looks like one whose clock was set forward.
func (h Hardware) Read() (wall time.Time, elapsed time.Duration) {
	now := time.Now()
	elapsed, known := sinceBoot()
	if !known {
		elapsed = now.Sub(h.began)
	}
	return now.Round(0), elapsed
}
