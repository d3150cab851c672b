package alarm

// Code is an alarm's name. Its runbook is the file of that name in docs/runbooks.
type Code string

// The alarms.
const (
	OldestUndispatched Code = "oldest-undispatched"
	EngineStuck        Code = "engine-stuck"
	EventsNotTaken     Code = "events-not-taken"
	NoLeader           Code = "no-leader"
	ClockImplausible   Code = "clock-implausible"
	StoreHeadroom      Code = "store-headroom"
	SendingStopped     Code = "sending-stopped"
	SilentPublisher    Code = "silent-publisher"
	ContactFailing     Code = "contact-failing"
	TaskOverdue        Code = "task-overdue"
	QuarantineGrowing  Code = "quarantine-growing"
	HeartbeatFailing   Code = "heartbeat-failing"
)

// Runbook is where to read what to do.
func (c Code) Runbook() string { return "docs/runbooks/" + string(c) + ".md" }

// Severity says how soon somebody has to see to an alarm. The zero Severity is invalid.
type Severity int

// The severities.
const (
	_        Severity = iota
	Warning           // in office hours
	Critical          // now, at any hour
)

// String names the severity.
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	default:
		return "invalid"
	}
}

// Kind is what an alarm of a code always has.
type Kind struct {
	Code     Code
	Severity Severity
	Meaning  string // for people, in a sentence
	// Unwell has the heartbeat withheld while the alarm is raised: whoever waits for it outside is to look.
	Unwell bool
}

// Kinds lists every kind of alarm, the worst first.
func Kinds() []Kind {
	return []Kind{
		{OldestUndispatched, Critical, "notices could be sent and are not: people are not told", true},
		{EngineStuck, Critical, "the engine does not answer, or does not decide: nobody is told of new events", true},
		{EventsNotTaken, Critical, "what agencies publish is kept, and not taken in: nobody is told of it", true},
		{NoLeader, Critical, "no instance leads: events are kept, and nothing is decided or sent", true},
		{ClockImplausible, Critical, "this machine's clock cannot be right: nothing is decided or sent by it", true},
		{StoreHeadroom, Critical, "the store is nearly full: new events are refused, so that what was taken in can still be seen to", false},
		{SendingStopped, Critical, "a person stopped sending: what the stop covers is told to nobody", false},
		{TaskOverdue, Critical, "tasks are past their due time and have nobody left to go to", false},
		{SilentPublisher, Warning, "an agency that publishes has published nothing for long: its events may not reach us", false},
		{ContactFailing, Warning, "contacts' mail comes back: they are not told by it", false},
		{QuarantineGrowing, Warning, "an agency's events are refused in numbers: nobody is told of them until they are corrected", false},
		{HeartbeatFailing, Warning, "the watcher outside does not take the heartbeat: nobody would notice if this service fell silent", false},
	}
}
