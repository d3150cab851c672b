// Package apptest boots the real program for tests: embedded NATS, gRPC, the notice page over HTTPS and a mailbox over
// SMTP, on a clock that the test moves, with the invented borough of the demo in its directory.
//
// Nothing in it is a fake but the people: they read their mail and answer on the page as people would.
package apptest
