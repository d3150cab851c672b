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

	fresh    bool // not in the file yet
	touched  bool
	attempts []int // to be written
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

// keptRows bounds how many rows are kept in memory between transactions: what facts tell of again, they mostly tell of soon.
const keptRows = 20_000

// batch is the working set of the writer: what the transaction under way has read and changed, and what is kept from the
// ones before. After an error it is thrown away with its transaction.
type batch struct {
	*statements
	pack    uint64
	hash    []byte
	facts   int64 // so far
	refused string

	subjects map[Subject]int64
	last     int64 // subject
	notices  map[string]*noticeRow
	tasks    map[string]*taskRow

	touchedNotices []*noticeRow
	touchedTasks   []*taskRow
}

// errUnfollowed marks a pack that does not follow the rows: the file is of another ledger, or the ledger is damaged.
var errUnfollowed = errors.New("the pack does not follow what the read model was made from")

// errUnknown marks a fact about something of which no row is there.
var errUnknown = errors.New("a fact tells of something that the read model has not: ")

func unknown(what string) error { return damaged{errors.Join(errUnknown, errors.New(what))} }

// apply takes one stored pack in.
func (b *batch) apply(sequence uint64, stored []byte) error {
	var previous []byte
	var bodies [][]byte
	if err := eachField(stored, func(number protowire.Number, value []byte) {
		switch number {
		case 1:
			previous = value
		case 3:
			bodies = append(bodies, value)
		}
	}); err != nil {
		return notice.Faultf(notice.Internal, "query.apply", "pack %d cannot be read", sequence)
	}
	if sequence != b.pack+1 || !bytes.Equal(previous, b.hash) {
		return damaged{errUnfollowed}
	}
	for _, body := range bodies {
		f := &ledgerv1.Fact{}
		if err := proto.Unmarshal(body, f); err != nil {
			return notice.Faultf(notice.Internal, "query.apply", "pack %d cannot be read", sequence)
		}
		if err := b.take(body, f); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(stored)
	b.pack, b.hash = sequence, sum[:]
	return nil
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

// take stores one fact, what it is about, and what it changes.
func (b *batch) take(body []byte, f *ledgerv1.Fact) error {
	about, err := mentions(f)
	if err != nil {
		return err
	}
	if asksAbout(f, b.refused) {
		about = append(about, Subject{Event, b.refused})
	}
	b.refused = refusedEvent(f)
	b.facts++
	if err := b.fact.add(b.facts, body); err != nil {
		return err
	}
	if err := b.bringIn(f); err != nil {
		return err
	}
	for _, subject := range about {
		number, err := b.subject(subject)
		if err != nil {
			return err
		}
		if err := b.about.add(number, b.facts); err != nil {
			return err
		}
	}
	return b.fold(f)
}

// subject is the number of a thing; one that is new gets the next.
func (b *batch) subject(s Subject) (int64, error) {
	if number, ok := b.subjects[s]; ok {
		return number, nil
	}
	number, err := b.storedSubject(s)
	if errors.Is(err, sql.ErrNoRows) {
		return b.nextSubject(s)
	}
	if err != nil {
		return 0, err
	}
	b.subjects[s] = number
	return number, nil
}

// nextSubject numbers a thing that is new.
func (b *batch) nextSubject(s Subject) (int64, error) {
	b.last++
	b.subjects[s] = b.last
	return b.last, b.newSubject.add(b.last, int(s.Kind), s.ID)
}

// bringIn numbers the notices and tasks that a fact makes, without looking for them first.
func (b *batch) bringIn(f *ledgerv1.Fact) error {
	for _, n := range f.GetDecided().GetNotices() {
		if _, err := b.nextSubject(Subject{Notice, n.GetId()}); err != nil {
			return err
		}
	}
	return nil
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

func (b *batch) keepNotice(n *noticeRow) { b.notices[n.Id] = n }

func (b *batch) touch(n *noticeRow) {
	if !n.touched {
		n.touched = true
		b.touchedNotices = append(b.touchedNotices, n)
	}
}

func (b *batch) touchAttempt(n *noticeRow, number int) {
	n.attempts = append(n.attempts, number)
	b.touch(n)
}

func (b *batch) touchTask(t *taskRow) {
	if !t.touched {
		t.touched = true
		b.touchedTasks = append(b.touchedTasks, t)
	}
}

// notice is a row as it is now.
func (b *batch) notice(id string) (*noticeRow, error) {
	if n := b.notices[id]; n != nil {
		return n, nil
	}
	number, err := b.subject(Subject{Notice, id})
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
	if n.Task != "" { // so far its number
		if n.Task, err = b.nameOf(n.Task); err != nil {
			return nil, err
		}
	}
	b.keepNotice(n)
	return n, nil
}

// task is a row as it is now.
func (b *batch) task(id string) (*taskRow, error) {
	if t := b.tasks[id]; t != nil {
		return t, nil
	}
	number, err := b.subject(Subject{Task, id})
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
	b.tasks[id] = t
	return t, nil
}

// write puts everything that was changed into the transaction.
func (b *batch) write() error {
	if err := b.writeRows(); err != nil {
		return err
	}
	if err := errors.Join(b.newSubject.flush(), b.fact.flush(), b.about.flush()); err != nil {
		return err
	}
	return b.exec(b.updateApplied, int64(b.pack), b.hash, b.facts)
}

// writeRows writes the notices and tasks that were changed.
func (b *batch) writeRows() error {
	for _, n := range b.touchedNotices {
		if err := b.writeNotice(n); err != nil {
			return err
		}
	}
	if err := errors.Join(b.newSubject.flush(), b.newNotice.flush(), b.putAttempt.flush()); err != nil {
		return err
	}
	for _, t := range b.touchedTasks {
		if err := b.writeTask(t); err != nil {
			return err
		}
	}
	b.touchedNotices, b.touchedTasks = b.touchedNotices[:0], b.touchedTasks[:0]
	return nil
}

// forget bounds what is kept in memory once a transaction is over.
func (b *batch) forget() {
	if len(b.notices) > keptRows {
		clear(b.notices)
	}
	if len(b.tasks) > keptRows {
		clear(b.tasks)
	}
	if len(b.subjects) > 4*keptRows {
		clear(b.subjects)
	}
}
