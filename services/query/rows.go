package query

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// statements are the writer's, prepared once on its one connection. What they do is not cut off by a context: a
// transaction is short, and it is over or it never was.
type statements struct {
	conn *sql.Conn

	insertSubject, insertAbout, insertName, insertEvent, insertNotice, insertRareNotice, insertContact *bulk

	insertPack, insertContribution, deleteContributions, updateNotice, updateRareNotice, putTask, updateApplied *sql.Stmt

	selectSubject, selectSubjectID, selectName, selectText, selectNotice, selectTask, selectHeldBack, selectMisdirected *sql.Stmt

	all []*sql.Stmt
}

func prepare(ctx context.Context, conn *sql.Conn) (*statements, error) {
	s := &statements{conn: conn}
	var failed error
	stmt := func(text string) *sql.Stmt {
		prepared, err := conn.PrepareContext(ctx, text)
		if err != nil {
			failed = errors.Join(failed, err)
			return nil
		}
		s.all = append(s.all, prepared)
		return prepared
	}
	s.insertPack = stmt(`INSERT INTO pack (first, body) VALUES (?, ?)`)
	s.insertSubject = newBulk(stmt, `INSERT OR FAIL INTO subject (n, kind, id, facts)`)
	s.insertAbout = newBulk(stmt, `INSERT OR FAIL INTO about (subject, first, facts)`)
	s.insertName = newBulk(stmt, `INSERT OR FAIL INTO name (n, text)`)
	s.insertEvent = newBulk(stmt, `INSERT OR FAIL INTO event (n, lineage)`)
	s.insertContact = newBulk(stmt, `INSERT OR IGNORE INTO contact (contact, notice)`)
	const columns = `state, open, link, ended_ms, attempts, sent, sent_to, sent_at, sent_as,
		n, lineage, decided_ms, due_ms, release_ms, agency, organisation, function, kind, rule, child, lane, acknowledge, links`
	s.insertNotice = newBulk(stmt, `INSERT OR FAIL INTO notice (`+columns+`)`)
	s.insertRareNotice = newBulk(stmt, `INSERT OR FAIL INTO notice (`+columns+`, task, late_ms, stop_scope, stop_target, held_link, misdirection,
		telephoned, opened)`)
	const changing = `state = ?, open = ?, link = ?, ended_ms = ?, attempts = ?, sent = ?, sent_to = ?, sent_at = ?, sent_as = ?`
	s.updateNotice = stmt(`UPDATE notice SET ` + changing + ` WHERE n = ?`)
	s.updateRareNotice = stmt(`UPDATE notice SET ` + changing + `, task = ?, late_ms = ?, stop_scope = ?, stop_target = ?, held_link = ?,
		misdirection = ?, telephoned = ?, opened = ? WHERE n = ?`)
	s.insertContribution = stmt(`INSERT OR IGNORE INTO contribution (lineage, by, event) VALUES (?, ?, ?)`)
	s.deleteContributions = stmt(`DELETE FROM contribution WHERE by = ?`)
	s.putTask = stmt(`INSERT OR REPLACE INTO task (n, notice, organisation, role, due_ms, state, open) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	s.updateApplied = stmt(`UPDATE applied SET pack = ?, hash = ?, fact = ?`)
	s.selectSubject = stmt(`SELECT n FROM subject WHERE id = ? AND kind = ?`)
	s.selectSubjectID = stmt(`SELECT id FROM subject WHERE n = ?`)
	s.selectName = stmt(`SELECT n FROM name WHERE text = ?`)
	s.selectText = stmt(`SELECT text FROM name WHERE n = ?`)
	s.selectNotice = stmt(`SELECT lineage, decided_ms, due_ms, release_ms, acknowledge, links, state, link, task, late_ms, ended_ms,
		stop_scope, stop_target, held_link, misdirection, telephoned, opened, attempts FROM notice WHERE n = ?`)
	s.selectTask = stmt(`SELECT notice, organisation, role, due_ms, state FROM task WHERE n = ?`)
	s.selectHeldBack = stmt(`SELECT s.id FROM notice AS n JOIN subject AS s ON s.n = n.n
		WHERE n.stop_scope > 0 AND n.stop_scope = ? AND n.stop_target = ? ORDER BY s.id`)
	s.selectMisdirected = stmt(`SELECT s.id FROM notice AS n JOIN subject AS s ON s.n = n.n WHERE n.misdirection > 0 AND n.misdirection = ?`)
	if failed != nil {
		return nil, failed
	}
	return s, nil
}

func (s *statements) close() {
	for _, stmt := range s.all {
		_ = stmt.Close() // the connection goes next
	}
}

func (s *statements) exec(stmt *sql.Stmt, args ...any) error {
	_, err := stmt.ExecContext(context.Background(), args...)
	return err
}

// bulk inserts rows, many with one statement. What it was given is in the file once flush returns.
type bulk struct {
	one, many *sql.Stmt
	columns   int
	args      []any
}

const bulkRows = 32

func newBulk(stmt func(string) *sql.Stmt, insert string) *bulk {
	columns := strings.Count(insert, ",") + 1
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return &bulk{
		columns: columns, one: stmt(insert + " VALUES " + row),
		many: stmt(insert + " VALUES " + strings.TrimSuffix(strings.Repeat(row+", ", bulkRows), ", ")),
	}
}

func (b *bulk) add(row ...any) error {
	if b.args = append(b.args, row...); len(b.args) < b.columns*bulkRows {
		return nil
	}
	_, err := b.many.ExecContext(context.Background(), b.args...)
	clear(b.args)
	b.args = b.args[:0]
	return err
}

func (b *bulk) flush() error {
	for rest := b.args; len(rest) > 0; rest = rest[b.columns:] {
		if _, err := b.one.ExecContext(context.Background(), rest[:b.columns]...); err != nil {
			return err
		}
	}
	clear(b.args)
	b.args = b.args[:0]
	return nil
}

func (b *batch) writeNotice(n *noticeRow) error {
	var failed error
	name := func(text string) int64 {
		number, err := b.name(text)
		failed = errors.Join(failed, err)
		return number
	}
	task := func(id string) int64 {
		if id == "" {
			return 0
		}
		number, err := b.number(Subject{Task, id})
		failed = errors.Join(failed, err)
		return number
	}
	var attempts []byte
	var contact, at, as int64
	for i := range n.Attempts {
		a := &n.Attempts[i]
		contact, at, as = name(a.Contact), name(a.Organisation), name(a.Role)
		attempts = appendAttempt(attempts, a, contact, at, as)
		if i >= n.sentTo {
			failed = errors.Join(failed, b.insertContact.add(contact, n.number))
		}
	}
	n.sentTo = len(n.Attempts)
	rare := [...]any{
		task(n.Task), n.LateMS, int64(n.HeldBackBy.Scope), name(n.HeldBackBy.Target), int64(n.heldLink), task(n.Misdirection), flag(n.Telephoned),
		flag(n.opened),
	}
	n.rare = n.rare || slices.ContainsFunc(rare[:], func(value any) bool { return value != int64(0) })
	row := append(b.row[:0],
		int64(stateOf(n.Phase)), flag(!n.Phase.Ended()), int64(n.Link), n.EndedMS, given(attempts), int64(len(n.Attempts)), contact, at, as,
	)
	if n.fresh {
		row = append(row,
			n.number, n.lineage, n.DecidedMS, n.DueMs, n.ReleaseMs, name(n.agency), name(n.Organisation), name(n.Function), name(n.Kind),
			name(n.Rule), name(n.Child), int64(n.Lane), flag(n.Acknowledge), int64(n.links),
		)
	}
	if n.rare {
		row = append(row, rare[:]...)
	}
	switch {
	case n.fresh && n.rare:
		failed = errors.Join(failed, b.insertRareNotice.add(row...))
	case n.fresh:
		failed = errors.Join(failed, b.insertNotice.add(row...))
	case n.rare:
		failed = errors.Join(failed, b.exec(b.updateRareNotice, append(row, n.number)...))
	default:
		failed = errors.Join(failed, b.exec(b.updateNotice, append(row, n.number)...))
	}
	if n.fresh {
		n.Notice.Notice = &ledgerv1.Notice{Id: n.Id, DueMs: n.DueMs, ReleaseMs: n.ReleaseMs, Acknowledge: n.Acknowledge} // as it is read back
	}
	n.fresh, n.touched = false, false
	b.row = row
	return failed
}

// The marks of an attempt.
const (
	markGaveUp = 1 << iota
	markMovesOn
	markBounced
	markInbox
)

// appendAttempt adds an attempt to those of its notice.
func appendAttempt(to []byte, a *ledger.Attempt, contact, organisation, role int64) []byte {
	marks := flag(a.GaveUp)*markGaveUp | flag(a.MovesOn)*markMovesOn | flag(bounced(a))*markBounced | flag(a.Channel == ledger.ByInbox)*markInbox
	for _, number := range [...]int64{int64(a.Link), contact, organisation, role, int64(a.Outcome), marks} {
		to = binary.AppendUvarint(to, uint64(number))
	}
	return to
}

// attemptsIn reads attempts back.
func (b *batch) attemptsIn(text []byte) ([]ledger.Attempt, error) {
	var attempts []ledger.Attempt
	for len(text) > 0 {
		var numbers [6]uint64
		for i := range numbers {
			var n int
			if numbers[i], n = binary.Uvarint(text); n <= 0 {
				return nil, damaged{errors.New("an attempt cannot be read")}
			}
			text = text[n:]
		}
		var texts [3]string
		for i := range texts {
			var err error
			if texts[i], err = b.text(int64(numbers[1+i])); err != nil {
				return nil, err
			}
		}
		marks := numbers[5]
		a := ledger.Attempt{
			AttemptStarted: &ledgerv1.AttemptStarted{Link: uint32(numbers[0]), Contact: texts[0], Organisation: texts[1], Role: texts[2]},
			Outcome:        ledgerv1.Outcome(numbers[4]), GaveUp: marks&markGaveUp != 0, MovesOn: marks&markMovesOn != 0,
		}
		if marks&markBounced != 0 {
			a.Returns = []ledgerv1.ReturnKind{ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT}
		}
		if marks&markInbox != 0 {
			a.Channel = ledger.ByInbox
		}
		attempts = append(attempts, a)
	}
	return attempts, nil
}

func flag(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// storedNotice reads a notice back.
func (b *batch) storedNotice(number int64, id string) (*noticeRow, error) {
	n := &noticeRow{Notice: ledger.Notice{Notice: &ledgerv1.Notice{Id: id}}, number: number}
	var state, scope int32
	var task, target, misdirection int64
	var attempts []byte
	err := b.selectNotice.QueryRowContext(context.Background(), number).Scan(&n.lineage, &n.DecidedMS, &n.DueMs, &n.ReleaseMs,
		&n.Acknowledge, &n.links, &state, &n.Link, &task, &n.LateMS, &n.EndedMS, &scope, &target, &n.heldLink, &misdirection, &n.Telephoned,
		&n.opened, &attempts)
	if err != nil {
		return nil, err
	}
	if n.Phase = phaseOf(ledgerv1.NoticeState(state)); n.Phase == 0 {
		return nil, damaged{errors.New("a notice has no state")}
	}
	n.HeldBackBy.Scope = ledgerv1.Scope(scope)
	var failed [4]error
	n.HeldBackBy.Target, failed[0] = b.text(target)
	n.Task, failed[1] = b.nameOf(task)
	n.Misdirection, failed[2] = b.nameOf(misdirection)
	n.Attempts, failed[3] = b.attemptsIn(attempts)
	n.sentTo = len(n.Attempts)
	n.rare = task != 0 || n.LateMS != 0 || n.HeldBackBy != ledger.Stop{} || n.heldLink != 0 || misdirection != 0 || n.Telephoned || n.opened
	return n, errors.Join(failed[:]...)
}

func (b *batch) writeTask(t *taskRow) error {
	about := int64(0)
	if t.notice != "" {
		number, err := b.number(Subject{Notice, t.notice})
		if err != nil {
			return err
		}
		about = number
	}
	t.touched = false
	return b.exec(b.putTask, t.number, about, t.organisation, t.role, t.dueMS, int64(t.state), flag(!t.ended()))
}

func (b *batch) storedTask(number int64, id string) (*taskRow, error) {
	t := &taskRow{number: number, id: id}
	var about int64
	err := b.selectTask.QueryRowContext(context.Background(), number).Scan(&about, &t.organisation, &t.role, &t.dueMS, &t.state)
	if err == nil {
		t.notice, err = b.nameOf(about)
	}
	return t, err
}

// heldBackBy names the notices that a stop holds back.
func (b *batch) heldBackBy(stop ledger.Stop) ([]string, error) {
	target, err := b.name(stop.Target)
	if err != nil {
		return nil, err
	}
	return b.noticesOf(b.selectHeldBack, int64(stop.Scope), target)
}

// misdirected names the notices that a task asks about.
func (b *batch) misdirected(task string) ([]string, error) {
	number, err := b.number(Subject{Task, task})
	if err != nil {
		return nil, err
	}
	return b.noticesOf(b.selectMisdirected, number)
}

func (b *batch) noticesOf(question *sql.Stmt, args ...any) ([]string, error) {
	if err := b.writeRows(); err != nil {
		return nil, err
	}
	rows, err := question.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	return texts(rows)
}

// texts reads rows of one text each.
func texts(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
