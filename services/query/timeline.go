package query

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Timeline is every fact about a thing, in the order of the ledger; none where there is nothing. Of an event that was
// accepted it is that of its lineage.
func (m *Model) Timeline(ctx context.Context, of Subject) ([]*ledgerv1.Fact, error) {
	var facts []*ledgerv1.Fact
	err := m.ask(ctx, "query.Timeline", func(ctx context.Context, tx *sql.Tx) error {
		c := collector{ctx: ctx, tx: tx, facts: map[int64]*ledgerv1.Fact{}, seen: map[Subject]bool{}}
		roots, err := c.roots(of)
		if err != nil {
			return err
		}
		if err := c.collect(slices.Clone(roots)); err != nil {
			return err
		}
		facts, err = c.tell(roots)
		return err
	})
	return facts, err
}

// collector finds the facts that a timeline may have: those about what it follows, and about what they bring in.
type collector struct {
	ctx   context.Context
	tx    *sql.Tx
	facts map[int64]*ledgerv1.Fact
	packs []openPack // the newest opened last
	seen  map[Subject]bool
}

// roots are what a timeline begins with: of an event its lineage, of a lineage its events and those that it tells of.
func (c *collector) roots(of Subject) ([]Subject, error) {
	roots := []Subject{of}
	lineage := of.ID
	switch of.Kind {
	case Notice, Task:
		return roots, nil
	case Event:
		err := c.tx.QueryRowContext(c.ctx, `SELECT l.id FROM subject AS s JOIN event AS e ON e.n = s.n JOIN subject AS l ON l.n = e.lineage
			WHERE s.id = ? AND s.kind = ?`, of.ID, int(Event)).Scan(&lineage)
		if errors.Is(err, sql.ErrNoRows) {
			return roots, nil // it was refused, or there is no such event
		}
		if err != nil {
			return nil, err
		}
		roots = append(roots, Subject{Lineage, lineage})
	case Lineage:
	}
	rows, err := c.tx.QueryContext(c.ctx, `WITH l AS (SELECT n FROM subject WHERE id = ? AND kind = ?)
		SELECT s.id FROM event AS e JOIN subject AS s ON s.n = e.n WHERE e.lineage IN l
		UNION SELECT s.id FROM contribution AS c JOIN subject AS s ON s.n = c.event WHERE c.lineage IN l`, lineage, int(Lineage))
	if err != nil {
		return nil, err
	}
	events, err := texts(rows)
	for _, id := range events {
		roots = append(roots, Subject{Event, id})
	}
	return roots, err
}

// collect reads the facts about some things, and about every notice and task that these facts bring in. It may find more
// than the timeline has: telling it takes care of that.
func (c *collector) collect(about []Subject) error {
	for len(about) > 0 {
		subject := about[len(about)-1]
		about = about[:len(about)-1]
		if c.seen[subject] {
			continue
		}
		c.seen[subject] = true
		found, err := c.about(subject)
		if err != nil {
			return err
		}
		for _, f := range found {
			for _, other := range broughtIn(f, subject) {
				if !c.seen[other] {
					about = append(about, other)
				}
			}
		}
	}
	return nil
}

// broughtIn is what a fact found by a subject may bring into its story.
func broughtIn(f *ledgerv1.Fact, by Subject) []Subject {
	if id := f.GetTaskOpened().GetId(); id != "" {
		return []Subject{{Task, id}}
	}
	d := f.GetDecided()
	own := by.Kind == Lineage || by.Kind == Event
	var brought []Subject
	for _, t := range d.GetTasks() {
		if own || by == (Subject{Notice, t.GetNotice()}) {
			brought = append(brought, Subject{Task, t.GetId()})
		}
	}
	if own {
		for _, n := range d.GetNotices() {
			brought = append(brought, Subject{Notice, n.GetId()})
		}
	}
	return brought
}

// about reads the facts about a subject.
func (c *collector) about(s Subject) ([]*ledgerv1.Fact, error) {
	rows, err := c.tx.QueryContext(c.ctx, `SELECT facts FROM subject WHERE id = ? AND kind = ?
		UNION ALL SELECT a.facts FROM subject AS s JOIN about AS a ON a.subject = s.n WHERE s.id = ? AND s.kind = ?`,
		s.ID, int(s.Kind), s.ID, int(s.Kind))
	if err != nil {
		return nil, err
	}
	lists, err := texts(rows)
	if err != nil {
		return nil, err
	}
	var found []*ledgerv1.Fact
	for _, list := range lists {
		numbers, err := factsIn([]byte(list))
		if err != nil {
			return nil, err
		}
		for _, number := range numbers {
			f, err := c.fact(number)
			if err != nil {
				return nil, err
			}
			found = append(found, f)
		}
	}
	return found, nil
}

// openPacks is how many packs are kept open while facts are collected: those of one thing are mostly in few.
const openPacks = 16

// openPack is a pack with the number of its first fact.
type openPack struct {
	first  int64
	bodies [][]byte
}

// fact reads a fact by its number.
func (c *collector) fact(number int64) (*ledgerv1.Fact, error) {
	if f := c.facts[number]; f != nil {
		return f, nil
	}
	has := func(p openPack) bool { return p.first <= number && number < p.first+int64(len(p.bodies)) }
	at := slices.IndexFunc(c.packs, has)
	if at < 0 {
		var p openPack
		var stored []byte
		err := c.tx.QueryRowContext(c.ctx, `SELECT first, body FROM pack WHERE first <= ? ORDER BY first DESC LIMIT 1`, number).Scan(&p.first, &stored)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if _, p.bodies, err = unpack(stored); err != nil || !has(p) {
			return nil, damaged{errors.New("a fact is missing")}
		}
		if len(c.packs) == openPacks {
			c.packs = c.packs[1:]
		}
		c.packs = append(c.packs, p)
		at = len(c.packs) - 1
	}
	p, f := c.packs[at], &ledgerv1.Fact{}
	if err := proto.Unmarshal(p.bodies[number-p.first], f); err != nil {
		return nil, damaged{errors.New("a fact cannot be read")}
	}
	c.facts[number] = f
	return f, nil
}

// tell reads what was collected as the ledger has it, and keeps what belongs to the story.
func (c *collector) tell(roots []Subject) ([]*ledgerv1.Fact, error) {
	type numbered struct {
		number int64
		fact   *ledgerv1.Fact
	}
	collected := make([]numbered, 0, len(c.facts))
	for number, f := range c.facts {
		collected = append(collected, numbered{number, f})
	}
	slices.SortFunc(collected, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	story := NewStory(roots...)
	var facts []*ledgerv1.Fact
	for i, f := range collected {
		if i > 0 && collected[i-1].number+1 != f.number {
			story.refused = "" // others came between
		}
		belongs, err := story.Concerns(f.fact)
		if err != nil {
			return nil, err
		}
		if belongs {
			facts = append(facts, f.fact)
		}
	}
	return facts, nil
}
