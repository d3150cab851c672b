// Package routing decides who must be told of an event, by when, on what basis and in what view, and who is not and why.
//
// Decide and DecideBeforeTerm are pure functions of the events, a snapshot of the directory, a policy, the rounds before
// and an instant. A decision explains itself: each notice carries the rule and the reason that caused it; everyone
// considered and passed over carries theirs; each required role that nobody meets is a gap, with a task for a person.
//
// Invariants:
//
//   - Nothing is ever guessed: a child who is not found, or found twice, or contradicted, is told about to nobody; people
//     are asked to find out.
//   - A child whose whereabouts are sealed is answered exactly as a child who is unknown.
//   - An organisation that a restriction bars is in no notice, no chain and no task about the child, unless it published.
//   - Nobody drops out in silence: every child, place, participant and required role that no notice answers for has a task
//     with an owner, and a task that a person resolved in vain is followed by another.
//   - Whoever is told of the end of a matter is not told of its beginning; whoever is not told of the end is.
//   - What cannot be read any more takes nothing back: see Erased.
//   - An obligation that stands unchanged is kept, never made again; one that is gone or changed supersedes.
//
// The package imports the vocabulary, the directory, disclosure, policy and whereabouts. It knows no clock, context or I/O.
package routing
