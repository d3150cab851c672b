package notice

// Ends is the kind of event whose matter an event of this kind ends: whoever is told of the end is chased no more for the
// beginning. Empty where it ends none.
func (k EventKind) Ends() EventKind {
	return map[EventKind]EventKind{
		MissingFound:          MissingReported,
		PoliceProtectionEnded: PoliceProtectionExercised,
		CustodyReleased:       CustodyDetained,
	}[k]
}
