// Package delivery decides where a notice goes and what it looks like there.
//
// It owns: finding the endpoint of one link of a chain (Resolve, ResolveReferrer), making what a recipient sees from a
// frozen notice and its events (Compose), the plain sheet that both mail and page show (Lay), the emails themselves
// (RenderMail, RenderCode), and the outcome of a send (Result).
//
// Invariants:
//   - nobody is sent to whom a restriction on the child bars, whose address no person has confirmed, or who has left;
//   - everyone passed over has a reason, in words without personal data;
//   - what a recipient sees has gone through disclosure.Apply with the view of the notice, always;
//   - an email never holds an address, and its subject neither a name nor the nature of the matter;
//   - the same input gives the same bytes, so a retry repeats its mail exactly, with the same Message-ID.
//
// Time is a value here and nothing is read or written: the senders are in smtp and push, the page in page. It must not
// import those, nor the engine.
package delivery
