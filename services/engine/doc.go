// Package engine is the one writer. It takes events in, decides, sends, chases and escalates, and writes every step to
// the ledger before the world sees its effect.
//
// One goroutine owns the ledger's State. Whatever arrives (an event, the end of a send, a person's command, an instant
// that has come) becomes facts, which are folded at once and wait for the next pack; one pack is in flight at a time, and
// what a fact allows to happen (a send, an answer to a person) happens only once its pack is durable. Facts that stand or
// fall together (the end of a chain and its task) share a pack; a pack stays below the log's largest message, and a
// decision that would not fit goes to a person instead. While the log is slow nothing more is taken in. The expected
// sequence of each append is the fence: when another instance has taken the lead the append fails, and Run returns a
// notice.Conflict with nothing done that the ledger does not know.
//
// Where sending is stopped a notice that would be sent is held back, a fact like any other: no attempt starts that a stop
// covers, and at its due time a person is asked to telephone.
//
// A notice that has ended is not sent: a send under way whose notice is withdrawn, or superseded, is called off where it has
// yet to write what cannot be taken back. A withdrawal shares its pack with the task about those who may have been told.
//
// A step that cannot be carried out now is tried again and holds up nothing else: not another event, nor another agency.
// An event that was erased is told of no more, and takes nothing back: routing.Erased says what a decision leaves as it is.
//
// Decisions and plans are made by the pure rooms (routing, ledger, delivery); this room is their shell. It must not
// import a transport.
package engine
