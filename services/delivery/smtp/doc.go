// Package smtp sends rendered mails through one mail relay, over kept connections.
//
// It owns: the connections (STARTTLS with TLS 1.2 or better, always), the envelope, and what a reply means for the
// notice (delivery.Result).
//
// Invariants:
//   - nothing about a notice crosses a connection that is not encrypted and verified; there is no setting to allow it;
//   - a send takes no longer than Config.Timeout, so a lease longer than that outlives it;
//   - once the final dot may have left, silence means Unknown, never Transient;
//   - no address, name or server reply text appears in a log, an error or a Detail.
//
// It must not import other rooms than notice, disclosure and delivery.
package smtp
