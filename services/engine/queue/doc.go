// Package queue decides which notice is sent next on a channel, and when nothing may be.
//
// Its rules, each held by a test:
//
//   - Lanes. Urgent before high before routine. Some slots are kept for urgent notices and some for urgent and high
//     ones, so that no number of routine ones holds an urgent one up. A lane that waits while those above it are busy
//     ages with each of their sends, and has a turn in the end: routine always moves.
//   - Publishers. Within a lane they take turns, however much each has waiting: a noisy one's hundredth never goes
//     before a quiet one's first. What one publisher has waiting goes by due time.
//   - Turns. Where many wait for one endpoint, every so many sends to it are of whoever has waited longest for it, in
//     whichever lane: so what waits moves on by turns, whatever else its lane and its publisher have.
//   - Endpoints. So many sends at once and a second go to one endpoint. One that failed is sent to singly; one that
//     failed several times in a row is left alone for a while, then asked with a single send. What waits for one
//     endpoint never holds up what goes to another, and a send that takes long gives its slot up.
//   - Patience. What waits still moves on at its time: Expired hands it out.
//
// The package is pure: the present instant is a value, in Unix milliseconds. A Queue is for one goroutine.
package queue
