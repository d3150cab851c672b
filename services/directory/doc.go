// Package directory is who is where: areas, organisations, settings, contacts, calendars, children and their
// restrictions, read from an immutable Snapshot, and the questions that routing and delivery ask of it.
//
// Invariants:
//   - a Snapshot never changes; a change of the directory is a new Snapshot of a higher generation;
//   - the package does no I/O and reads no clock: the time is always an argument, and the same rows give the same
//     answers whatever the order in which they came;
//   - an answer about a child is never a guess: Match says that it found nobody, several or a contradiction;
//   - clock times are Europe/London, and Date.At says what becomes of a time that a clock change skips or repeats;
//   - the rows that a Snapshot hands out are shared with everyone who asks: callers must not change them.
//
// Restrictions are handed out, not applied: whoever answers a person about a child applies them.
//
// It may import notice and the generated contracts, and no other Signalbox package.
package directory
