package query

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
)

// subjectRow is a row of table subject, and the facts about it that have yet to be written.
type subjectRow struct {
	Subject
	number  int64
	fresh   bool // not in the file yet
	facts   []byte
	first   int64 // of facts
	last    int64
	touched bool
}

// subject is the row of a thing; one that is new gets the next number.
func (b *batch) subject(s Subject) (*subjectRow, error) {
	if row, ok := b.subjects.get(s); ok {
		return row, nil
	}
	row := &subjectRow{Subject: s}
	err := b.selectSubject.QueryRowContext(context.Background(), s.ID, int64(s.Kind)).Scan(&row.number)
	if errors.Is(err, sql.ErrNoRows) {
		return b.newSubject(s), nil
	}
	if err != nil {
		return nil, err
	}
	b.subjects.put(s, row)
	return row, nil
}

// newSubject is the row of a thing that no fact has named so far.
func (b *batch) newSubject(s Subject) *subjectRow {
	b.last++
	row := &subjectRow{Subject: s, number: b.last, fresh: true}
	b.subjects.put(s, row)
	b.touchSubject(row)
	return row
}

func (b *batch) touchSubject(row *subjectRow) {
	if !row.touched {
		row.touched = true
		b.touchedSubjects = append(b.touchedSubjects, row)
	}
}

// number is the number of a thing.
func (b *batch) number(s Subject) (int64, error) {
	row, err := b.subject(s)
	if err != nil {
		return 0, err
	}
	return row.number, nil
}

// tell notes that a fact is about a subject.
func (b *batch) tell(row *subjectRow, fact int64) {
	if row.last == fact && len(row.facts) > 0 {
		return
	}
	if len(row.facts) == 0 {
		row.first, row.last = fact, 0
	}
	row.facts = binary.AppendUvarint(row.facts, uint64(fact-row.last))
	row.last = fact
	b.touchSubject(row)
}

// factsIn are the numbers that tell has put together.
func factsIn(text []byte) ([]int64, error) {
	var facts []int64
	last := int64(0)
	for len(text) > 0 {
		distance, n := binary.Uvarint(text)
		if n <= 0 {
			return nil, damaged{errors.New("a list of facts cannot be read")}
		}
		last += int64(distance)
		facts, text = append(facts, last), text[n:]
	}
	return facts, nil
}

// writeSubjects writes what facts have told about subjects.
func (b *batch) writeSubjects() error {
	for _, row := range b.touchedSubjects {
		var err error
		switch {
		case row.fresh:
			err = b.insertSubject.add(row.number, int64(row.Kind), row.ID, given(row.facts))
		case len(row.facts) > 0:
			err = b.insertAbout.add(row.number, row.first, row.facts)
		}
		if err != nil {
			return err
		}
		row.fresh, row.touched, row.facts = false, false, nil
	}
	b.touchedSubjects = b.touchedSubjects[:0]
	return errors.Join(b.insertSubject.flush(), b.insertAbout.flush())
}

// given makes no bytes an empty value rather than none at all.
func given(bytes []byte) []byte {
	if bytes == nil {
		return []byte{}
	}
	return bytes
}

// nameOf is the id of a subject by its number.
func (b *batch) nameOf(number int64) (id string, err error) {
	if number == 0 {
		return "", nil
	}
	err = b.selectSubjectID.QueryRowContext(context.Background(), number).Scan(&id)
	return id, err
}

// name is the number of a text; one that is new gets the next.
func (b *batch) name(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if number, ok := b.names.get(text); ok {
		return number, nil
	}
	var number int64
	err := sql.ErrNoRows
	if !b.allNames {
		err = b.selectName.QueryRowContext(context.Background(), text).Scan(&number)
	}
	if errors.Is(err, sql.ErrNoRows) {
		b.lastName++
		number, err = b.lastName, b.insertName.add(b.lastName, text)
	}
	if err != nil {
		return 0, err
	}
	b.names.put(text, number)
	return number, nil
}

// text is the way back from a name.
func (b *batch) text(name int64) (text string, err error) {
	if name == 0 {
		return "", nil
	}
	err = b.selectText.QueryRowContext(context.Background(), name).Scan(&text)
	return text, err
}
