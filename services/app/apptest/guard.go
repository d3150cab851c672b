package apptest

import (
	"context"
	"sync"
	"time"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	"github.com/signalbox-hq/signalbox/services/clock"
)

// Watchful has the guards look often; before Boot.
func (r *Rig) Watchful() {
	r.Config.Alarms.Every = 100 * time.Millisecond
}

// Alarms are what the service says is raised, by name; before its guards have looked it is unknown.
func (r *Rig) Alarms() (raised map[string]*alarmv1.Alarm, known bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	response, err := alarmv1.NewAlarmServiceClient(r.conn).List(ctx, &alarmv1.ListRequest{})
	if err != nil {
		return nil, false
	}
	raised = map[string]*alarmv1.Alarm{}
	for _, a := range response.Alarms {
		raised[a.Code] = a
	}
	return raised, true
}

// AwaitAlarm waits until an alarm is raised, and returns it.
func (r *Rig) AwaitAlarm(code string) (a *alarmv1.Alarm) {
	r.T.Helper()
	r.await("the alarm "+code, func() bool {
		raised, _ := r.Alarms()
		a = raised[code]
		return a != nil
	})
	return a
}

// AwaitNoAlarm waits until an alarm is over.
func (r *Rig) AwaitNoAlarm(code string) {
	r.T.Helper()
	r.await("the end of the alarm "+code, func() bool {
		raised, known := r.Alarms()
		return known && raised[code] == nil
	})
}

// Hands are the clocks of a machine that somebody sets.
type Hands struct {
	mu    sync.Mutex
	began time.Time
	by    time.Duration
}

// NewHands are right until they are set.
func NewHands() *Hands { return &Hands{began: time.Now()} }

// Set moves the time of day, forward or back.
func (h *Hands) Set(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.by += by
}

// Read returns the time of day and the time passed.
func (h *Hands) Read() (wall time.Time, elapsed time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	return now.Round(0).Add(h.by), now.Sub(h.began)
}

// AwaitEvents waits until so many events were taken in.
func (r *Rig) AwaitEvents(n int64) {
	r.T.Helper()
	r.await("the events", func() bool { return r.Summary().Events == n })
}

// SetBack sets the clock of the service back; while it is stopped.
func (r *Rig) SetBack(by time.Duration) { r.Clock = clock.NewMovable(r.Clock.Now().Add(-by)) }
