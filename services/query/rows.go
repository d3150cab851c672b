package query

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// statements are the writer's, prepared once on its one connection. What they do is not cut off by a context: a
// transaction is short, and it is over or it never was.
type statements struct {
	conn *sql.Conn

	fact, about, newSubject, newNotice, putAttempt *bulk

	insertEvent, insertContribution, deleteContributions *sql.Stmt
	updateNotice, putTask, updateApplied                 *sql.Stmt

	selectSubject, selectName, selectNotice, selectAttempts, selectTask, selectHeldBack *sql.Stmt

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
	s.fact = newBulk(stmt, `INSERT INTO fact (n, body) VALUES `, 2)
	s.about = newBulk(stmt, `INSERT INTO about (subject, fact) VALUES `, 2)
	s.newSubject = newBulk(stmt, `INSERT INTO subject (n, kind, id) VALUES `, 3)
	s.insertEvent = stmt(`INSERT INTO event (n, lineage) VALUES (?, ?)`)
	s.insertContribution = stmt(`INSERT OR IGNORE INTO contribution (lineage, by, event) VALUES (?, ?, ?)`)
	s.deleteContributions = stmt(`DELETE FROM contribution WHERE by = ?`)
	s.newNotice = newBulk(stmt, `INSERT INTO notice (n, lineage, decided_ms, due_ms, release_ms, agency, organisation, function, kind, rule, child,
		lane, acknowledge, links, state, open, link, task, late_ms, ended_ms, stop_scope, stop_target, held_link) VALUES `, 23)
	s.updateNotice = stmt(`UPDATE notice SET state = ?, open = ?, link = ?, task = ?, late_ms = ?, ended_ms = ?, stop_scope = ?, stop_target = ?,
		held_link = ? WHERE n = ?`)
	s.putAttempt = newBulk(stmt, `INSERT OR REPLACE INTO attempt (notice, attempt, link, contact, organisation, role, outcome, gave_up, moves_on,
		bounced) VALUES `, 10)
	s.putTask = stmt(`INSERT OR REPLACE INTO task (n, notice, organisation, role, due_ms, state, open) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	s.updateApplied = stmt(`UPDATE applied SET pack = ?, hash = ?, fact = ?`)
	s.selectSubject = stmt(`SELECT n FROM subject WHERE id = ? AND kind = ?`)
	s.selectName = stmt(`SELECT id FROM subject WHERE n = ?`)
	s.selectNotice = stmt(`SELECT lineage, decided_ms, due_ms, release_ms, agency, organisation, acknowledge, links, state, link, task, late_ms,
		ended_ms, stop_scope, stop_target, held_link FROM notice WHERE n = ?`)
	s.selectAttempts = stmt(`SELECT link, contact, organisation, role, outcome, gave_up, moves_on, bounced FROM attempt WHERE notice = ?
		ORDER BY attempt`)
	s.selectTask = stmt(`SELECT notice, organisation, role, due_ms, state FROM task WHERE n = ?`)
	s.selectHeldBack = stmt(`SELECT s.id FROM notice AS n JOIN subject AS s ON s.n = n.n
		WHERE n.stop_scope > 0 AND n.stop_scope = ? AND n.stop_target = ? ORDER BY s.id`)
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

// bulk inserts rows, many with one statement.
type bulk struct {
	one, many *sql.Stmt
	width     int // columns
	rows      int // of the statement for many
	args      []any
}

// bulkColumns is about how many values one statement takes.
const bulkColumns = 192

func newBulk(stmt func(string) *sql.Stmt, insert string, width int) *bulk {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	rows := max(bulkColumns/width, 1)
	return &bulk{
		one: stmt(insert + row), many: stmt(insert + strings.TrimSuffix(strings.Repeat(row+", ", rows), ", ")), width: width, rows: rows,
	}
}

func (b *bulk) add(row ...any) error {
	if b.args = append(b.args, row...); len(b.args) < b.rows*b.width {
		return nil
	}
	return b.done(b.many.ExecContext(context.Background(), b.args...))
}

// flush inserts what is left.
func (b *bulk) flush() error {
	for rest := b.args; len(rest) > 0; rest = rest[b.width:] {
		if _, err := b.one.ExecContext(context.Background(), rest[:b.width]...); err != nil {
			return err
		}
	}
	return b.done(nil, nil)
}

func (b *bulk) done(_ sql.Result, err error) error {
	clear(b.args)
	b.args = b.args[:0]
	return err
}

func (b *batch) storedSubject(s Subject) (number int64, err error) {
	err = b.selectSubject.QueryRowContext(context.Background(), s.ID, int(s.Kind)).Scan(&number)
	return number, err
}

func (b *batch) nameOf(number string) (id string, err error) {
	err = b.selectName.QueryRowContext(context.Background(), number).Scan(&id)
	return id, err
}

func (b *batch) writeNotice(n *noticeRow) error {
	task := int64(0)
	if n.Task != "" {
		number, err := b.subject(Subject{Task, n.Task})
		if err != nil {
			return err
		}
		task = number
	}
	changing := []any{
		int(stateOf(n.Phase)), flag(!n.Phase.Ended()), n.Link, task, n.LateMS, n.EndedMS, int(n.HeldBackBy.Scope), n.HeldBackBy.Target,
		n.heldLink,
	}
	var err error
	if n.fresh {
		err = b.newNotice.add(append([]any{
			n.number, n.lineage, n.DecidedMS, n.DueMs, n.ReleaseMs, n.agency, n.Organisation, n.Function, n.Kind, n.Rule, n.Child,
			int(n.Lane), flag(n.Acknowledge), n.links,
		}, changing...)...)
	} else {
		err = b.exec(b.updateNotice, append(changing, n.number)...)
	}
	if err != nil {
		return err
	}
	for i, number := range n.attempts {
		if i > 0 && number == n.attempts[i-1] {
			continue
		}
		a := &n.Attempts[number-1]
		if err := b.putAttempt.add(n.number, number, a.Link, a.Contact, a.Organisation, a.Role, int(a.Outcome), flag(a.GaveUp),
			flag(a.MovesOn), flag(bounced(a))); err != nil {
			return err
		}
	}
	n.fresh, n.touched, n.attempts = false, false, n.attempts[:0]
	return nil
}

func flag(is bool) int {
	if is {
		return 1
	}
	return 0
}

// storedNotice reads a notice back. Its Task is the task's number.
func (b *batch) storedNotice(number int64, id string) (*noticeRow, error) {
	n := &noticeRow{Notice: ledger.Notice{Notice: &ledgerv1.Notice{Id: id}}, number: number}
	var state, scope int32
	var task int64
	err := b.selectNotice.QueryRowContext(context.Background(), number).Scan(&n.lineage, &n.DecidedMS, &n.DueMs, &n.ReleaseMs, &n.agency,
		&n.Organisation, &n.Acknowledge, &n.links, &state, &n.Link, &task, &n.LateMS, &n.EndedMS, &scope, &n.HeldBackBy.Target, &n.heldLink)
	if err != nil {
		return nil, err
	}
	if n.Phase = phaseOf(ledgerv1.NoticeState(state)); n.Phase == 0 {
		return nil, damaged{errors.New("a notice has no state")}
	}
	n.HeldBackBy.Scope = ledgerv1.Scope(scope)
	if task != 0 {
		n.Task = strconv.FormatInt(task, 10)
	}
	rows, err := b.selectAttempts.QueryContext(context.Background(), number)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		a := ledger.Attempt{AttemptStarted: &ledgerv1.AttemptStarted{}}
		var outcome int32
		var bounced bool
		if err := rows.Scan(&a.Link, &a.Contact, &a.Organisation, &a.Role, &outcome, &a.GaveUp, &a.MovesOn, &bounced); err != nil {
			return nil, err
		}
		a.Outcome = ledgerv1.Outcome(outcome)
		if bounced {
			a.Returns = []ledgerv1.ReturnKind{ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT}
		}
		n.Attempts = append(n.Attempts, a)
	}
	return n, rows.Err()
}

func (b *batch) writeTask(t *taskRow) error {
	about := int64(0)
	if t.notice != "" {
		number, err := b.subject(Subject{Notice, t.notice})
		if err != nil {
			return err
		}
		about = number
	}
	t.touched = false
	return b.exec(b.putTask, t.number, about, t.organisation, t.role, t.dueMS, int(t.state), flag(!t.ended()))
}

func (b *batch) storedTask(number int64, id string) (*taskRow, error) {
	t := &taskRow{number: number, id: id}
	var about int64
	err := b.selectTask.QueryRowContext(context.Background(), number).Scan(&about, &t.organisation, &t.role, &t.dueMS, &t.state)
	if err == nil && about != 0 {
		t.notice, err = b.nameOf(strconv.FormatInt(about, 10))
	}
	return t, err
}

// heldBackBy names the notices that a stop holds back.
func (b *batch) heldBackBy(stop ledger.Stop) ([]string, error) {
	if err := b.writeRows(); err != nil {
		return nil, err
	}
	rows, err := b.selectHeldBack.QueryContext(context.Background(), int(stop.Scope), stop.Target)
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
