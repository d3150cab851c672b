// Package disclosure decides what a recipient may see of an event. It owns the views, which are sets of sensitivity
// labels, the one function that applies them, and the search of free text for what it must not hold.
//
// Invariants:
//   - What may be seen is decided by the label of a field and never by its name, and what is not allowed is dropped: a
//     field without a label, a field this build does not know and a map are disclosed to nobody.
//   - A field inside a labelled message needs both labels: the organisation of a referrer is not shown to those who may
//     see professionals only.
//   - One notice is about one child. No other child of the event is ever in it.
//   - A member of the public who referred is named to nobody, whatever the view.
//   - Neither the paths nor the findings that this package returns hold a value of the event.
//
// It is pure: no clock, context, goroutine, log or I/O. It imports the generated contracts and package notice, and must
// not import policy, which builds its views.
package disclosure
