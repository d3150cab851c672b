package queue

// placed is something that knows its place in a ranked, so that it can be taken out of the middle.
type placed interface{ place() *int }

// nowhere is the place of what is in no ranked.
const nowhere = -1

// ranked is a heap for container/heap.
type ranked[T placed] struct {
	all    []T
	before func(a, b T) bool
}

func (r *ranked[T]) Len() int           { return len(r.all) }
func (r *ranked[T]) Less(i, j int) bool { return r.before(r.all[i], r.all[j]) }
func (r *ranked[T]) Swap(i, j int) {
	r.all[i], r.all[j] = r.all[j], r.all[i]
	*r.all[i].place(), *r.all[j].place() = i, j
}

// Push is for container/heap.
func (r *ranked[T]) Push(x any) {
	one := x.(T)
	*one.place() = len(r.all)
	r.all = append(r.all, one)
}

// Pop is for container/heap.
func (r *ranked[T]) Pop() any {
	last := len(r.all) - 1
	one := r.all[last]
	var none T
	r.all[last] = none
	r.all = r.all[:last]
	*one.place() = nowhere
	return one
}
