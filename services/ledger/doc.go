// Package ledger owns the facts and what follows from them: State, a pure fold over facts, and Plan, which says what is
// due.
//
// The ledger is the truth. State is rebuilt from it at every start, and folding the same facts in any split gives the
// same State. Its invariants:
//
//   - Every notice has an end (acknowledged, delivered, superseded, closed by a person, withdrawn) or, until then, a next step of
//     the machine or a person who owns it. A task is not an end: only its resolution is.
//   - Nothing is sent after a notice's end.
//   - What tells of a withdrawn event ends with the withdrawal; where somebody may have it, a person is asked about that.
//   - What ends a matter, and whether it still does, has the matter decided anew: nobody is chased, and nobody is not, for what
//     somebody took back.
//   - An attempt that started ends: finished, or unknown once its lease is over.
//
// State.Faults lists what breaks them. A fact that cannot follow those before it is refused with ErrImpossible and changes
// nothing.
//
// The package is pure: no context, goroutine, clock, randomness or I/O. It imports the vocabulary and the generated
// facts, nothing else of this project.
package ledger
