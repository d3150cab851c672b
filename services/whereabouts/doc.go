// Package whereabouts says which children are or were missing, detained or in police protection: the list that a meeting
// about them begins with.
//
// List is a pure function of what was published and an instant. Its invariants:
//
//   - What was reported after the instant changes nothing: the list of a day is the same whenever it is asked for.
//   - A child who is missing stays on the list, however long ago it began, until somebody reports that the child is found.
//   - A detention, and police protection, of which no end is reported stays for as long as the law lets it last, and for the
//     time that is looked back on: that nobody said how it ended is what the meeting asks about.
//   - An end is joined to its beginning by the publisher's reference, or by the child where the directory knows the child;
//     an end that nothing began is shown as one, and an end says nothing of what was over before.
//   - It names children by the ledger's keys alone.
//
// The package imports the vocabulary and the contracts. It knows no clock, context or I/O.
package whereabouts
