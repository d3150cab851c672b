// Package page is the web page behind the link of an email: a notice is shown there to the one who has the one-time
// code, and acknowledged by a deliberate act.
//
// It owns: the link's token, the codes and sessions, the pages, and their protection from scanners, guessing and other
// sites.
//
// Invariants:
//   - a GET or HEAD changes nothing and shows nothing about a child, except the notice itself to the holder of a session;
//     only a POST from our own pages asks for a code, acknowledges, answers an invitation, or says that a child is not
//     at a setting;
//   - a token that was never made and one whose notice is gone are answered alike; of a notice that was withdrawn the page
//     says no more than that;
//   - a code works once, for ten minutes, for five tries; five codes an hour go out for one link;
//   - what is kept in memory is bounded, and holds no name or address; a restart costs a person one new code;
//   - tokens, codes and names appear in no log.
//
// It must not import other rooms than notice, disclosure and delivery.
package page
