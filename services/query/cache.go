package query

// cache keeps what was used last, in two generations: where the young one is full it becomes the old one, and what the old
// one had is forgotten unless it is asked for in time.
type cache[K comparable, V any] struct {
	most       int // of a generation
	young, old map[K]V
}

func newCache[K comparable, V any](most int) cache[K, V] {
	return cache[K, V]{most: most, young: map[K]V{}}
}

func (c *cache[K, V]) get(key K) (V, bool) {
	v, ok := c.young[key]
	if ok {
		return v, true
	}
	if v, ok = c.old[key]; ok {
		c.young[key] = v
	}
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) { c.young[key] = v }

// age forgets, where it is time, and says whether it did. Nothing that has yet to be written may be in the cache then.
func (c *cache[K, V]) age() bool {
	if len(c.young) < c.most {
		return false
	}
	c.young, c.old = make(map[K]V, c.most), c.young
	return true
}
