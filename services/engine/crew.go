package engine

import "golang.org/x/sync/errgroup"

// crew runs sends, each on a goroutine of its own that is kept for the next: a send needs a deep stack, which a new
// goroutine would have to grow again. There are never more of them than sends were under way at once.
type crew struct {
	group *errgroup.Group
	work  chan func()
	off   chan struct{} // closed when nothing more comes
}

func newCrew(group *errgroup.Group) *crew {
	return &crew{group: group, work: make(chan func()), off: make(chan struct{})}
}

// run has fn run at once. It is not called after dismiss.
func (c *crew) run(fn func()) {
	select {
	case c.work <- fn: // somebody is free
	default:
		c.group.Go(func() error {
			c.stay(fn)
			return nil
		})
	}
}

func (c *crew) stay(fn func()) {
	for {
		fn()
		select {
		case fn = <-c.work:
		case <-c.off:
			return
		}
	}
}

// dismiss lets everybody go who is free, and the others once they are.
func (c *crew) dismiss() { close(c.off) }
