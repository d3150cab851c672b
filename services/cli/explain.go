package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

type explainCmd struct {
	File string `arg:"" help:"JSON file with one event. - is the input."`
	At   string `placeholder:"TIME" help:"Decide as of this instant, RFC 3339 with an offset, such as 2026-11-03T21:15:00Z. Else now."`
	output
	connection
}

func (explainCmd) Help() string {
	return `Decides on an event as the service would, with its directory and policy, and shows for each child how it was found; for each notice who gets it, why, by when, by which channel, on what lawful basis and what they would see; who was considered and not told; and what people would be asked to do. The event need not have been published, and nothing is sent or kept.

    signalbox explain incident.json
    signalbox explain incident.json --at 2026-08-07T23:00:00+01:00`
}

func (c *explainCmd) Run(ctx context.Context, e *env) error {
	request := &routingv1.ExplainRequest{}
	if c.At != "" {
		t, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			return usagef("--at must be RFC 3339 with an offset, such as 2026-11-03T21:15:00Z or 2026-08-07T23:00:00+01:00")
		}
		request.At = timestamppb.New(t)
	}
	var err error
	if request.Event, err = readEvent(e.In, c.File); err != nil {
		return err
	}
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, routingv1.NewRoutingServiceClient(l.conn).Explain, request)
	if err != nil {
		return err
	}
	if c.json() {
		return printJSON(e.Out, response)
	}
	named, err := namesOf(ctx, l, response)
	if err != nil {
		return err
	}
	explanation{event: request.Event, response: response, names: named}.print(e.Out)
	return nil
}

// names are the names that a decision's ids stand for.
type names struct {
	organisations map[string]string
	contacts      map[string]*directoryv1.Contact
}

// namesOf looks the ids of a decision up. What is not in the directory keeps its id.
func namesOf(ctx context.Context, l link, r *routingv1.ExplainResponse) (names, error) {
	n := names{organisations: map[string]string{}, contacts: map[string]*directoryv1.Contact{}}
	for _, id := range organisationsOf(r.GetDecision()) {
		if _, ok := n.organisations[id]; ok {
			continue
		}
		n.organisations[id] = ""
		kind := directory.KindOrganisation
		if isSetting(id) {
			kind = directory.KindSetting
		}
		rows, err := showRows(ctx, l, &directoryv1.ShowRequest{Kind: kind, Id: id})
		if err != nil {
			return names{}, err
		}
		for _, row := range rows {
			n.organisations[id] = row.GetOrganisation().GetName() + row.GetSetting().GetName() // one of the two
		}
	}
	for _, p := range r.GetPreviews() {
		id := p.GetContact()
		if _, ok := n.contacts[id]; ok || id == "" {
			continue
		}
		rows, err := showRows(ctx, l, &directoryv1.ShowRequest{Kind: directory.KindContact, Id: id})
		if err != nil {
			return names{}, err
		}
		for _, row := range rows {
			n.contacts[id] = row.GetContact()
		}
	}
	return n, nil
}

func organisationsOf(d *ledgerv1.Decision) []string {
	var ids []string
	add := func(id string) {
		if id != "" && id != inEvent {
			ids = append(ids, id)
		}
	}
	for _, n := range d.GetNotices() {
		add(n.GetOrganisation())
		for _, l := range n.GetChain() {
			add(l.GetOrganisation())
		}
	}
	for _, c := range d.GetConsidered() {
		add(c.GetOrganisation())
	}
	for _, t := range d.GetTasks() {
		add(t.GetOrganisation())
		add(t.GetEscalateTo())
	}
	for _, c := range d.GetContributions() {
		add(c.GetOrganisation())
	}
	return ids
}

// showRows reads the rows that a request selects.
func showRows(ctx context.Context, l link, request *directoryv1.ShowRequest) ([]*directoryv1.Row, error) {
	var rows []*directoryv1.Row
	err := eachRow(ctx, l, request, func(row *directoryv1.Row) error {
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

func eachRow(ctx context.Context, l link, request *directoryv1.ShowRequest, each func(*directoryv1.Row) error) error {
	ctx, cancel := context.WithCancel(ctx) // ends the stream where each gives up
	defer cancel()
	stream, err := directoryv1.NewDirectoryServiceClient(l.conn).Show(ctx, request)
	if err != nil {
		return l.fault(err)
	}
	for {
		response, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return l.fault(err)
		}
		if err := each(response.GetRow()); err != nil {
			return fmt.Errorf("writing the answer: %w", err)
		}
	}
}
