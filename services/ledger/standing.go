package ledger

// ChildStanding is what became of one child of an event, as its publisher may know it. State is zero where nothing can
// be said yet.
type ChildStanding struct {
	Ref   string // the publisher's handle
	State ChildState
}

// Standing is what became of the children of an event: after a correction, of those of the correction.
func (s *State) Standing(event string) []ChildStanding {
	e := s.Events[event]
	if e == nil {
		return nil
	}
	l := s.Lineages[e.Lineage]
	if l == nil {
		return nil
	}
	var all []ChildStanding
	for _, c := range l.Children {
		state := s.children[childKey{event: c.Event, ref: c.Ref}]
		if own := s.Events[c.Event]; own != nil && own.Withdrawn {
			state = ChildWithdrawn
		}
		all = append(all, ChildStanding{Ref: c.Ref, State: state})
	}
	return all
}
