// Package push hands notices to agencies that host a NoticeReceiverService.
//
// It owns: a kept gRPC connection per receiver, with mutual TLS, which notices share a call, and what a status means for
// each of them.
//
// Invariants:
//   - a call carries the notice's id and version as its idempotency key, the same for every try;
//   - a notice has a call of its own while the receiver is not busy; those that wait share one, if the receiver takes that;
//   - what is wrong with one notice of a call says nothing about the others: refused together, each goes singly;
//   - a send, its wait for a turn included, takes no longer than Config.Timeout, so a lease longer than that outlives it;
//   - where the notice may have left and nobody answered, the outcome is Unknown, never Transient;
//   - no status text of the other side appears in a log or a Detail: it may quote anything.
//
// It must not import other rooms than notice, disclosure and delivery.
package push
