package directory

import (
	"cmp"
	"slices"
)

// index finds children by a hash of what is looked up. Two things may share a hash, so whoever looks up compares the
// child with what was asked. Sorted pairs take a third of the memory of a map of slices and cost the collector
// nothing: they hold no pointers.
type index []posting

type posting struct {
	hash  uint64
	child int32
}

func (x index) sort() {
	slices.SortFunc(x, func(a, b posting) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.child, b.child)) })
}

func (x index) find(hash uint64) []posting {
	from, _ := slices.BinarySearchFunc(x, hash, func(p posting, h uint64) int { return cmp.Compare(p.hash, h) })
	until := from
	for until < len(x) && x[until].hash == hash {
		until++
	}
	return x[from:until]
}

// hashOf is FNV-1a over both texts, set apart by a byte that neither holds.
func hashOf(a, b string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(a) {
		h = (h ^ uint64(a[i])) * prime
	}
	h = (h ^ 0xff) * prime
	for i := range len(b) {
		h = (h ^ uint64(b[i])) * prime
	}
	return h
}

func (s *Snapshot) indexChildren() {
	s.identifiers = make(index, 0, 2*len(s.children))
	s.surnames = make(index, 0, len(s.children))
	for i, c := range s.children {
		at := int32(i)
		for _, id := range c.GetIdentifiers() {
			value := Identifier{id.GetScheme(), id.GetValue()}.Canonical()
			if identifies(id.GetScheme(), value) {
				s.identifiers = append(s.identifiers, posting{hashOf(id.GetScheme(), value), at})
			}
		}
		if family, born := FoldName(c.GetFamily()), c.GetDateOfBirth(); family != "" && born != "" {
			s.surnames = append(s.surnames, posting{hashOf(family, born), at})
		}
	}
	s.identifiers.sort()
	s.surnames.sort()
}
