// Package report is the page on which a desk without an integration reports an incident by hand.
//
// It owns: who may sign in and how, the form, what stands beside each field that is at fault, the review before sending,
// and the answer afterwards. An event that leaves here goes the way of every other: the same check, the same stream.
//
// Invariants:
//   - only an address that the directory has for a desk of an agency that may publish the kind gets a code; every other
//     is answered in the same words and in the same time;
//   - a code counts only in the browser that asked for it, so that nobody can use up or take over another's;
//   - a form is one event: its id is made with the form, so that sending twice, or loading the answer again, is one;
//   - what a person typed is kept by their browser alone until it is sent; nothing of it is in a URL, a log or a cookie,
//     and nothing of it is lost to a fault, a session that ended, or a store that is full;
//   - every request asks the directory again: a desk that is taken out of it is out.
//
// It may import notice, disclosure and web, and must not know NATS, the engine or mail.
package report
