package engine

// recent keeps what was put last, up to a size in all, the oldest dropped first. It is for one goroutine at a time.
type recent[K comparable, V any] struct {
	room  int // bytes, about
	size  int
	held  map[K]V
	order []sized[K]
}

type sized[K comparable] struct {
	key  K
	size int
}

func newRecent[K comparable, V any](room int) recent[K, V] {
	return recent[K, V]{room: room, held: make(map[K]V)}
}

// put keeps a value that is not held yet, whatever its size.
func (r *recent[K, V]) put(key K, value V, size int) {
	r.held[key] = value
	r.order = append(r.order, sized[K]{key, size})
	r.size += size
	for r.size > r.room && len(r.order) > 1 {
		delete(r.held, r.order[0].key)
		r.size -= r.order[0].size
		r.order = r.order[1:]
	}
}
