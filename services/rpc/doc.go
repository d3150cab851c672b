// Package rpc is the edge for programs: the gRPC services, and a helper for their clients.
//
// It owns who may call what, the form of faults on the wire and the bounds on what is sent. What a call does is the
// business of the rooms behind it.
//
// Invariants:
//   - every caller shows a certificate of the authority; it names an agency that the directory has, or an operator.
//     Nothing a request says changes who its caller is;
//   - every method has a rule that says who may call it, and without one nobody may;
//   - an agency sees, acknowledges and resolves only what is its own organisation's; what is another's is not found;
//   - the log holds method, peer, code and duration; a fault of our own is logged once, with a reference, and its text
//     does not leave the process;
//   - what a person wrote goes to the vault, and its number to the ledger.
//
// It must not import app, console or demo, and touches NATS only through store.
package rpc
