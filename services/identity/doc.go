// Package identity is the small certificate authority behind every Signalbox listener, and the one place that
// says who a peer is.
//
// It owns: the authority's key and certificate, the certificates it issues to servers, agencies and operators,
// the TLS settings built from them, and the nkey users that agencies present to NATS.
//
// Invariants:
//   - a peer is recognised by one URI name, signalbox://agency/<id> or signalbox://operator/<name>, that agrees
//     with the certificate's common name; anything else is nobody;
//   - private keys are written whole or not at all, readable by their owner only, and never replace a key that
//     exists;
//   - TLS 1.2 is the least that is spoken, 1.3 wherever both sides can; a server built here asks for a client
//     certificate and verifies it;
//   - time is a value: callers pass now, or the clock by which a Renewing certificate is issued anew. Nothing here logs, and secrets print as [redacted].
//
// It must not import other Signalbox packages than notice.
package identity
