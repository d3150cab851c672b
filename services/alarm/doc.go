// Package alarm says what needs a person's attention: it holds what was observed against limits, and names each alarm
// with its severity, its age, what it is about and the runbook that says what to do.
//
// Alarms are computed, never remembered: the same observations give the same alarms, so an instance that takes the lead
// raises what the one before it raised. Texts and subjects are ids and counts, no personal data.
//
// It is pure and must import no other room: whoever observes knows the rooms.
package alarm
