package queue

// Verdict is what the end of a send says about its endpoint.
type Verdict int

// The verdicts.
const (
	_        Verdict = iota
	Answered         // it answered: it took the message, or refused this one
	Failed           // it did not answer as it should
	NotAsked         // nothing reached it
)

// endpoint is a receiver, or a mail domain.
type endpoint struct {
	key      string
	sending  int
	slow     bool    // a send of it took long, and none has been quick since
	failures int     // in a row
	restsMS  int64   // left alone until
	nextMS   float64 // when the next send would be due if they kept exactly to the rate
	flows    int     // that have something waiting
	parked   []*flow // that wait until it may be sent to again
	wakeMS   int64   // when they are looked at again; 0 where only the end of a send does
}

// ready says whether a send may begin, and if not from when on; 0 where it has to wait for another to end.
func (e *endpoint) ready(l *Limits, nowMS int64) (ok bool, againMS int64) {
	atOnce := l.AtOnce
	if e.failures > 0 {
		atOnce = 1 // its next send says whether it is well again
	}
	if atOnce > 0 && e.sending >= atOnce {
		return false, 0
	}
	if nowMS < e.restsMS {
		return false, e.restsMS
	}
	if l.Rate > 0 {
		if from := int64(e.nextMS - burstMS(l.Rate)); nowMS < from {
			return false, from
		}
	}
	return true, 0
}

// burstMS is how far sends may run ahead of the rate: a second's worth of them in one go, and at least one.
func burstMS(rate float64) float64 { return max(0, 1000-1000/rate) }

func (e *endpoint) began(l *Limits, nowMS int64) {
	e.sending++
	if l.Rate > 0 {
		e.nextMS = max(e.nextMS, float64(nowMS)) + 1000/l.Rate
	}
}

func (e *endpoint) ended(l *Limits, v Verdict, beganMS, nowMS int64) {
	e.sending--
	switch v {
	case Answered:
		e.failures, e.restsMS = 0, 0
		e.slow = e.slow && slowBy(beganMS, nowMS)
	case Failed:
		e.failures++
		if l.Failures > 0 && e.failures >= l.Failures {
			e.restsMS = nowMS + l.Rest.Milliseconds()
		}
	case NotAsked:
	}
}

// forgettable says whether nothing about the endpoint need be remembered.
func (e *endpoint) forgettable(nowMS int64) bool {
	return e.sending == 0 && e.failures == 0 && !e.slow && e.flows == 0 && len(e.parked) == 0 && e.nextMS <= float64(nowMS)
}

// awakening is an endpoint and when what waits for it is looked at again.
type awakening struct {
	atMS     int64
	endpoint *endpoint
	at       int
}

func (a *awakening) place() *int { return &a.at }
