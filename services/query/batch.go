package query

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// noticeRow is a row of table notice with its attempts. What is frozen has, of a row that was read back, only what the
// fold asks for.
type noticeRow struct {
	ledger.Notice
	number   int64
	lineage  int64
	agency   string
	links    int    // of the chain
	heldLink uint32 // position in the chain when it was held back
	sentTo   int    // how many attempts have their contact in table contact
	opened   bool   // by somebody with a code

	fresh   bool // not in the file yet
	rare    bool // it has, or had, what few notices have
	touched bool
}

// taskRow is a row of table task.
type taskRow struct {
	number       int64
	id           string
	notice       string
	organisation string
	role         string
	dueMS        int64
	state        ledger.TaskState
	touched      bool
}

func (t *taskRow) ended() bool {
	return t.state == ledger.TaskResolved || t.state == ledger.TaskSettled
}

// What is kept in memory between transactions, in rows: what facts tell of again, they mostly tell of soon.
const (
	keptNotices  = 50_000
	keptTasks    = 2_000
	keptSubjects = 80_000
	keptNames    = 100_000
)

// batch is the working set of the writer: what the transaction under way has read and changed, and what is kept from the
// ones before. After an error it is thrown away with its transaction.
type batch struct {
	*statements
	pack    uint64
	hash    []byte
	facts   int64 // so far
	refused string

	subjects cache[Subject, *subjectRow]
	last     int64 // subject
	names    cache[string, int64]
	lastName int64
	allNames bool // every name is in the cache: one that is not is new
	notices  cache[string, *noticeRow]
	tasks    cache[string, *taskRow]

	touchedSubjects []*subjectRow
	touchedNotices  []*noticeRow
	touchedTasks    []*taskRow

	row []any // that is put together
}

func newBatch(s *statements) *batch {
	return &batch{
		statements: s, subjects: newCache[Subject, *subjectRow](keptSubjects), names: newCache[string, int64](keptNames),
		notices: newCache[string, *noticeRow](keptNotices), tasks: newCache[string, *taskRow](keptTasks),
	}
}

// errUnfollowed marks a pack that does not follow the rows: the file is of another ledger, or the ledger is damaged.
var errUnfollowed = errors.New("the pack does not follow what the read model was made from")

// errUnknown marks a fact about something of which no row is there.
var errUnknown = errors.New("a fact tells of something that the read model has not: ")

func unknown(what string) error { return damaged{errors.Join(errUnknown, errors.New(what))} }

// apply takes one stored pack in.
func (b *batch) apply(sequence uint64, stored []byte) error {
	previous, bodies, err := unpack(stored)
	if err != nil {
		return notice.Faultf(notice.Internal, "query.apply", "pack %d cannot be read", sequence)
	}
	if sequence != b.pack+1 || !bytes.Equal(previous, b.hash) {
		return damaged{errUnfollowed}
	}
	if len(bodies) > 0 {
		if err := b.exec(b.insertPack, b.facts+1, stored); err != nil {
			return err
		}
	}
	for _, body := range bodies {
		f := &ledgerv1.Fact{}
		if err := proto.Unmarshal(body, f); err != nil {
			return notice.Faultf(notice.Internal, "query.apply", "pack %d cannot be read", sequence)
		}
		if err := b.take(f); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(stored)
	b.pack, b.hash = sequence, sum[:]
	return nil
}

// unpack finds the hash of the pack before and the facts in a stored pack, without a copy.
func unpack(stored []byte) (previous []byte, bodies [][]byte, err error) {
	err = eachField(stored, func(number protowire.Number, value []byte) {
		switch number {
		case 1:
			previous = value
		case 3:
			bodies = append(bodies, value)
		}
	})
	return previous, bodies, err
}

// eachField hands over the length-delimited fields of a message, as they are stored.
func eachField(message []byte, fn func(number protowire.Number, value []byte)) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if kind == protowire.BytesType {
			value, m := protowire.ConsumeBytes(message)
			if m < 0 {
				return protowire.ParseError(m)
			}
			fn(number, value)
			message = message[m:]
			continue
		}
		m := protowire.ConsumeFieldValue(number, kind, message)
		if m < 0 {
			return protowire.ParseError(m)
		}
		message = message[m:]
	}
	return nil
}

// take notes what one fact is about, and what it changes.
func (b *batch) take(f *ledgerv1.Fact) error {
	about, err := mentions(f)
	if err != nil {
		return err
	}
	if asksAbout(f, b.refused) {
		about = append(about, Subject{Event, b.refused})
	}
	b.refused = refusedEvent(f)
	b.facts++
	for _, n := range f.GetDecided().GetNotices() { // no fact has named them yet: there is nothing to look for
		b.newSubject(Subject{Notice, n.GetId()})
	}
	for _, subject := range about {
		row, err := b.subject(subject)
		if err != nil {
			return err
		}
		b.tell(row, b.facts)
	}
	return b.fold(f)
}

// change changes a notice.
func (b *batch) change(id string, how func(*noticeRow)) error {
	n, err := b.notice(id)
	if err != nil {
		return err
	}
	how(n)
	b.touch(n)
	return nil
}

func (b *batch) changeTask(id string, how func(*taskRow)) error {
	t, err := b.task(id)
	if err != nil {
		return err
	}
	how(t)
	b.touchTask(t)
	return nil
}

func (b *batch) keepNotice(n *noticeRow) { b.notices.put(n.Id, n) }

func (b *batch) touch(n *noticeRow) {
	if !n.touched {
		n.touched = true
		b.touchedNotices = append(b.touchedNotices, n)
	}
}

func (b *batch) touchTask(t *taskRow) {
	if !t.touched {
		t.touched = true
		b.touchedTasks = append(b.touchedTasks, t)
	}
}

// notice is a row as it is now.
func (b *batch) notice(id string) (*noticeRow, error) {
	if n, ok := b.notices.get(id); ok {
		return n, nil
	}
	number, err := b.number(Subject{Notice, id})
	if err != nil {
		return nil, err
	}
	n, err := b.storedNotice(number, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, unknown("notice")
	}
	if err != nil {
		return nil, err
	}
	b.keepNotice(n)
	return n, nil
}

// task is a row as it is now.
func (b *batch) task(id string) (*taskRow, error) {
	if t, ok := b.tasks.get(id); ok {
		return t, nil
	}
	number, err := b.number(Subject{Task, id})
	if err != nil {
		return nil, err
	}
	t, err := b.storedTask(number, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, unknown("task")
	}
	if err != nil {
		return nil, err
	}
	b.tasks.put(id, t)
	return t, nil
}

// write puts everything that was changed into the transaction.
func (b *batch) write() error {
	if err := b.writeRows(); err != nil {
		return err
	}
	return b.exec(b.updateApplied, int64(b.pack), b.hash, b.facts)
}

// writeRows writes the rows that were changed. It is due before a question to more than one row at a time.
func (b *batch) writeRows() error {
	for _, n := range b.touchedNotices {
		if err := b.writeNotice(n); err != nil {
			return err
		}
	}
	for _, t := range b.touchedTasks {
		if err := b.writeTask(t); err != nil {
			return err
		}
	}
	b.touchedNotices, b.touchedTasks = b.touchedNotices[:0], b.touchedTasks[:0]
	return errors.Join(b.writeSubjects(), b.insertEvent.flush(), b.insertName.flush(), b.insertNotice.flush(), b.insertRareNotice.flush(), b.insertContact.flush())
}

// forget bounds what is kept in memory once a transaction is over.
func (b *batch) forget() {
	b.notices.age()
	b.tasks.age()
	b.subjects.age()
	if b.names.age() {
		b.allNames = false
	}
}
