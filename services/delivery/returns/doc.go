// Package returns is the mail server for what comes back: bounces and automatic replies to the address that a notice
// was sent from.
//
// It owns: that address (Address, ParseAddress), which names the notice and the attempt and cannot be made without the
// key; the listener, which takes mail for such addresses and for no other; and what a returned mail means (Read).
//
// Invariants:
//   - nothing that comes back acknowledges anything: it is put into one of the kinds of ledgerv1.ReturnKind, no more;
//   - nothing is relayed and nothing is answered: no mail ever leaves from here, so no two machines answer each other;
//   - a mail is accepted once what it means is durable; until then the other side keeps it and tries again;
//   - a mail that cannot be read is of an unknown kind. It is never a reason to send anything back;
//   - the time, the bytes, the parts and the depth spent on one mail are bounded, and so are connections and their rate;
//   - of a returned mail a kind and a status code are kept. No address, subject or text appears in a log, an error or a
//     reply.
//
// It must not import other rooms than notice.
package returns
