package query

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// Overdue lists notices and tasks without an end past their due time, longest overdue first, as ledger.State does.
func (m *Model) Overdue(ctx context.Context, nowMS int64) ([]*ledgerv1.Overdue, error) {
	var overdue []*ledgerv1.Overdue
	err := m.ask(ctx, "query.Overdue", func(ctx context.Context, tx *sql.Tx) error {
		notices, err := overdueNotices(ctx, tx, nowMS)
		if err != nil {
			return err
		}
		tasks, err := overdueTasks(ctx, tx, nowMS)
		overdue = append(notices, tasks...)
		return err
	})
	slices.SortFunc(overdue, func(a, b *ledgerv1.Overdue) int {
		return cmp.Or(cmp.Compare(a.DueMs, b.DueMs), cmp.Compare(a.Notice, b.Notice), cmp.Compare(a.Task, b.Task))
	})
	return overdue, err
}

// overdueNotices are owned by whoever has their task, else by whom they were last sent to.
func overdueNotices(ctx context.Context, tx *sql.Tx, nowMS int64) ([]*ledgerv1.Overdue, error) {
	rows, err := tx.QueryContext(ctx, `SELECT s.id, n.due_ms, n.state, n.stop_scope > 0, ifnull(ts.id, ''),
			ifnull(t.organisation, CASE WHEN n.sent > 0 THEN `+text(`sent_at`)+` ELSE `+text(`organisation`)+` END),
			ifnull(t.role, CASE WHEN n.sent > 0 THEN `+text(`sent_as`)+` ELSE `+text(`function`)+` END)
		FROM notice AS n INDEXED BY notice_open JOIN subject AS s ON s.n = n.n
		LEFT JOIN task AS t ON t.n = n.task LEFT JOIN subject AS ts ON ts.n = t.n
		WHERE n.open = 1 AND n.due_ms <= ?`, nowMS)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var overdue []*ledgerv1.Overdue
	for rows.Next() {
		o := &ledgerv1.Overdue{}
		var state int32
		var heldBack bool
		if err := rows.Scan(&o.Notice, &o.DueMs, &state, &heldBack, &o.Task, &o.Organisation, &o.Role); err != nil {
			return nil, err
		}
		o.State = phaseOf(ledgerv1.NoticeState(state)).String()
		if heldBack && o.Task != "" {
			o.State = ledger.Stopped.String() + ", " + o.State
		}
		overdue = append(overdue, o)
	}
	return overdue, rows.Err()
}

// overdueTasks are those of no notice, or of one that has ended: the others are listed with their notice.
func overdueTasks(ctx context.Context, tx *sql.Tx, nowMS int64) ([]*ledgerv1.Overdue, error) {
	rows, err := tx.QueryContext(ctx, `SELECT s.id, ifnull(ns.id, ''), t.organisation, t.role, t.due_ms, t.state
		FROM task AS t INDEXED BY task_open JOIN subject AS s ON s.n = t.n
		LEFT JOIN notice AS n ON n.n = t.notice LEFT JOIN subject AS ns ON ns.n = t.notice
		WHERE t.open = 1 AND t.due_ms <= ? AND ifnull(n.open, 0) = 0`, nowMS)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var overdue []*ledgerv1.Overdue
	for rows.Next() {
		o := &ledgerv1.Overdue{}
		var state ledger.TaskState
		if err := rows.Scan(&o.Task, &o.Notice, &o.Organisation, &o.Role, &o.DueMs, &state); err != nil {
			return nil, err
		}
		o.State = state.String()
		overdue = append(overdue, o)
	}
	return overdue, rows.Err()
}
