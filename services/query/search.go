package query

import (
	"context"
	"database/sql"
	"strings"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	defaultPage = 50
	maxPage     = 500
	// minReference is how much of a reference has to be given: a group of it.
	minReference = 4
	// maxStates bounds how often a state is named.
	maxStates = 32
)

// Search lists notices, the newest first, a page at a time.
func (m *Model) Search(ctx context.Context, req *ledgerv1.SearchRequest) (*ledgerv1.SearchResponse, error) {
	const op = "query.Search"
	where, err := conditions(op, req)
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	response := &ledgerv1.SearchResponse{}
	err = m.ask(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		found, numbers, err := page(ctx, tx, where, size+1) // one more says whether there is a next page
		if err != nil {
			return err
		}
		if len(found) > size {
			found = found[:size]
			response.Next = cursor{after: numbers[size-1], of: fingerprint(req)}.String()
		}
		response.Notices = found
		return nil
	})
	return response, err
}

// clauses are conditions on rows of notice, and what they are compared with.
type clauses struct {
	text []string
	args []any
}

func (c *clauses) add(text string, args ...any) {
	c.text = append(c.text, text)
	c.args = append(c.args, args...)
}

// conditions turns a request into conditions. Every fault of it is named at once.
func conditions(op string, req *ledgerv1.SearchRequest) (clauses, error) {
	var c clauses
	var faults []notice.FieldFault
	fault := func(field, message string) {
		faults = append(faults, notice.FieldFault{Field: field, Message: message})
	}

	if req.GetReference() != "" {
		if prefix, ok := idPrefix(req.GetReference()); ok {
			c.add(`n.n IN (SELECT n FROM subject WHERE kind = 3 AND id >= ? AND id < ?)`, prefix, prefix+"\x7f")
		} else {
			fault("reference", "give it as it stands on the notice, such as 0K3V-9Q2M-7X4B, or its first four letters at least")
		}
	}
	for _, equal := range []struct{ column, value string }{
		{"agency", req.GetAgency()}, {"organisation", req.GetOrganisation()}, {"kind", req.GetKind()}, {"child", req.GetChild()},
		{"rule", req.GetRule()},
	} {
		if equal.value != "" {
			c.add(`n.`+equal.column+` = (SELECT name.n FROM name WHERE text = ?)`, equal.value)
		}
	}
	if req.GetContact() != "" {
		c.add(`n.n IN (SELECT notice FROM contact WHERE contact = (SELECT name.n FROM name WHERE text = ?))`, req.GetContact())
	}
	if len(req.GetStates()) > maxStates {
		fault("states", "name each state once")
	} else if len(req.GetStates()) > 0 {
		var marks []string
		var states []any
		for _, state := range req.GetStates() {
			if phaseOf(state) == 0 {
				fault("states", "names a state that does not exist")
				break
			}
			marks, states = append(marks, "?"), append(states, int(state))
		}
		c.add(`n.state IN (`+strings.Join(marks, ", ")+`)`, states...)
	}
	if lane := req.GetLane(); lane != ledgerv1.Lane_LANE_UNSPECIFIED {
		if _, ok := ledgerv1.Lane_name[int32(lane)]; !ok {
			fault("lane", "must be urgent, high or routine")
		}
		c.add(`n.lane = ?`, int(lane))
	}
	for _, span := range []struct {
		column      string
		from, until int64
	}{
		{"decided", req.GetDecidedFromMs(), req.GetDecidedUntilMs()}, {"due", req.GetDueFromMs(), req.GetDueUntilMs()},
	} {
		if span.from != 0 {
			c.add(`n.`+span.column+`_ms >= ?`, span.from)
		}
		if span.until != 0 {
			c.add(`n.`+span.column+`_ms < ?`, span.until)
		}
		if span.from != 0 && span.until != 0 && span.from >= span.until {
			fault(span.column+"_until_ms", "must be later than "+span.column+"_from_ms")
		}
	}
	if req.GetOpen() {
		c.add(`n.open = 1`)
	}
	if req.GetLate() {
		c.add(`n.late_ms > 0`)
	}
	if req.GetPageSize() > maxPage {
		fault("page_size", "at most 500: ask for the next page with the cursor")
	}
	if req.GetCursor() != "" {
		at, ok := parseCursor(req.GetCursor())
		switch {
		case !ok:
			fault("cursor", "is none of ours: use `next` of the page before, or leave it out")
		case at.of != fingerprint(req):
			fault("cursor", "is of another search: leave it out to begin this one")
		default:
			c.add(`n.n < ?`, at.after)
		}
	}
	if len(faults) > 0 {
		return clauses{}, notice.InvalidFields(op, faults)
	}
	return c, nil
}

// idPrefix is the beginning of the ids that a reference is of.
func idPrefix(reference string) (string, bool) {
	var b strings.Builder
	for _, r := range strings.ToLower(reference) {
		switch {
		case r == '-' || r == ' ':
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			return "", false
		}
	}
	return b.String(), b.Len() >= minReference && b.Len() <= 64
}

// text is what a column of notice names.
func text(column string) string {
	return `ifnull((SELECT text FROM name WHERE name.n = n.` + column + `), '')`
}

// page reads the newest notices that meet the conditions, with their numbers.
func page(ctx context.Context, tx *sql.Tx, c clauses, size int) ([]*ledgerv1.FoundNotice, []int64, error) {
	where := ""
	if len(c.text) > 0 {
		where = ` WHERE ` + strings.Join(c.text, ` AND `)
	}
	rows, err := tx.QueryContext(ctx, `SELECT n.n, s.id, l.id, `+text(`agency`)+`, `+text(`organisation`)+`, `+text(`function`)+`, `+text(`kind`)+`,
			`+text(`rule`)+`, `+text(`child`)+`, n.lane, n.state, n.decided_ms, n.due_ms, n.late_ms, n.ended_ms, n.sent, `+text(`sent_to`)+`,
			ifnull(t.id, '')
		FROM (SELECT * FROM notice AS n`+where+` ORDER BY n.n DESC LIMIT ?) AS n
		JOIN subject AS s ON s.n = n.n JOIN subject AS l ON l.n = n.lineage LEFT JOIN subject AS t ON t.n = n.task
		ORDER BY n.n DESC`, append(c.args, size)...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var found []*ledgerv1.FoundNotice
	var numbers []int64
	for rows.Next() {
		f := &ledgerv1.FoundNotice{}
		var number int64
		if err := rows.Scan(&number, &f.Notice, &f.Lineage, &f.Agency, &f.Organisation, &f.Function, &f.Kind, &f.Rule, &f.Child, &f.Lane, &f.State,
			&f.DecidedMs, &f.DueMs, &f.LateMs, &f.EndedMs, &f.Attempts, &f.Contact, &f.Task); err != nil {
			return nil, nil, err
		}
		f.Reference = notice.Reference(f.Notice)
		found, numbers = append(found, f), append(numbers, number)
	}
	return found, numbers, rows.Err()
}
