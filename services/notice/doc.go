// Package notice is the vocabulary that every other room shares: the ids of agencies, organisations, settings and
// children, the kinds of event, and the one error type.
//
// Ids are distinct types that only their Parse functions build, so a value of such a type is known to be good. The
// package imports nothing but the standard library, and nothing of this project.
package notice
