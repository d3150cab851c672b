// Package policy reads the document that says who must be told of what, by when, on what basis, and what they may see.
// It owns the document's rules beyond its schema, the conditions (CEL) and the default policy.
//
// Invariants:
//   - A Policy that Load returns is whole: every rule's view, basis, lane and condition is known to be good, so that
//     nothing about the document can fail while an event is routed, except a condition that exceeds its cost.
//   - Load reports every fault at once, each with the line and column it stands at.
//   - No view allows a location or a restricted text: notices leave by email.
//   - A Policy never changes and is safe for concurrent use. After Load everything is a pure function of its arguments.
//
// It imports the generated contracts, notice and disclosure; it must not import directory or routing.
package policy
