package importer

import (
	"regexp"
	"strings"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

var functionPattern = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// readNetwork reads who is involved with which child. Like a list of contacts the file stands for everybody its source
// named before.
func (j *job) readNetwork(text string) error {
	cols := columns{
		required: []string{"id", "roll", "pupil_id", "function", "organisation"},
		optional: []string{"role", "from", "until"},
	}
	seen := make(map[RowKey]int64)
	prefix := j.req.Source + "/"
	for _, row := range j.current.Rows(directory.KindNetwork) {
		if strings.HasPrefix(row.GetNetworkMember().GetId(), prefix) {
			j.scope = append(j.scope, row)
		}
	}
	pupils := j.pupils()
	err := j.table(text, cols, func(l *line) {
		m := &directoryv1.NetworkMember{Function: l.function("function"), Organisation: l.organisation("organisation")}
		if id := l.id("id"); id != "" {
			m.Id = prefix + id
		}
		if l.text("role") != "" {
			m.Role = l.token("role")
		}
		m.From, m.Until = l.span("from", "until")
		m.Child = pupils[directory.Identifier{Scheme: directory.SchemeLocal + l.required("roll"), Value: l.id("pupil_id")}]
		if m.GetChild() == "" {
			l.fault("pupil_id", "no child has this id on that roll: import the roll first, or correct the id")
		}
		l.take(directory.NetworkRow(m), seen, false)
	})
	if err != nil {
		return err
	}
	for _, row := range j.scope { // a column that slipped gives the children of one street the services of the next
		before := row.GetNetworkMember()
		after := j.want[RowKey{directory.KindNetwork, before.GetId()}].GetNetworkMember()
		if after != nil && (after.GetChild() != before.GetChild() || after.GetOrganisation() != before.GetOrganisation()) {
			j.moved++
		}
	}
	return nil
}

// pupils are the ids of children by their ids on rolls.
func (j *job) pupils() map[directory.Identifier]string {
	pupils := make(map[directory.Identifier]string)
	for _, row := range j.current.Rows(directory.KindChild) {
		for _, id := range row.GetChild().GetIdentifiers() {
			pupils[directory.Identifier{Scheme: id.GetScheme(), Value: id.GetValue()}] = row.GetChild().GetId()
		}
	}
	return pupils
}

// function is a part that organisations play, as policies name it.
func (l *line) function(column string) string {
	s := l.required(column)
	if s != "" && !functionPattern.MatchString(s) {
		l.fault(column, "is not a word of lower-case letters and underscores, such as health_visitor")
		return ""
	}
	return s
}

// follow gives those involved with a child, and those who subscribe to it, to the record that it was joined with.
func (j *job) follow(from, to string) {
	for _, row := range j.current.Rows(directory.KindNetwork) {
		if row.GetNetworkMember().GetChild() == from {
			m := proto.CloneOf(row.GetNetworkMember())
			m.Child = to
			j.want[RowKey{directory.KindNetwork, m.GetId()}] = directory.NetworkRow(m)
		}
	}
	for _, row := range j.current.Rows(directory.KindSubscription) {
		if row.GetSubscription().GetChild() == from {
			s := proto.CloneOf(row.GetSubscription())
			s.Child = to
			j.want[RowKey{directory.KindSubscription, s.GetId()}] = directory.SubscriptionRow(s)
		}
	}
}
