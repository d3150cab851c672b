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
	flows    []*flow // that have something waiting
	turns    int64   // sends so far
	passed   int     // of them since whoever had waited longest last had a turn, while several wait
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

// add notes that something waits which goes to the endpoint.
func (e *endpoint) add(f *flow) {
	f.nth, f.since = len(e.flows), e.turns
	e.flows = append(e.flows, f)
}

// remove notes that nothing of a flow waits any more.
func (e *endpoint) remove(f *flow) {
	last := len(e.flows) - 1
	e.flows[f.nth] = e.flows[last]
	e.flows[f.nth].nth = f.nth
	e.flows[last] = nil
	e.flows = e.flows[:last]
}

// longest is, of those that may, the flow that was passed by most often: next itself where none was more often than it.
func (e *endpoint) longest(next *flow, may func(*flow) bool) *flow {
	longest := next
	for _, f := range e.flows {
		earlier := f.since < longest.since || f.since == longest.since && longest != next && before(f.items.all[0], longest.items.all[0])
		if earlier && may(f) {
			longest = f
		}
	}
	return longest
}

// served notes whose turn it was; f is nil where nothing of it waits any more.
func (e *endpoint) served(f *flow, aged bool) {
	e.turns++
	e.passed++
	if f != nil {
		f.since = e.turns
	}
	if aged || len(e.flows) == 0 {
		e.passed = 0
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
	return e.sending == 0 && e.failures == 0 && !e.slow && len(e.flows) == 0 && len(e.parked) == 0 && e.nextMS <= float64(nowMS)
}

// awakening is an endpoint and when what waits for it is looked at again.
type awakening struct {
	atMS     int64
	endpoint *endpoint
	at       int
}

func (a *awakening) place() *int { return &a.at }
