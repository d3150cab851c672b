package demo

import (
	"context"
	"errors"
	"io"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// names are what the directory calls its organisations and contacts.
type names struct {
	organisations map[string]string
	contacts      map[string]*directoryv1.Contact // by id
}

func readNames(ctx context.Context, client directoryv1.DirectoryServiceClient) (*names, error) {
	n := &names{organisations: map[string]string{}, contacts: map[string]*directoryv1.Contact{}}
	for _, kind := range []string{directory.KindOrganisation, directory.KindSetting, directory.KindContact} {
		rows, err := show(ctx, client, kind)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			switch row := row.Row.(type) {
			case *directoryv1.Row_Organisation:
				n.organisations[row.Organisation.Id] = row.Organisation.Name
			case *directoryv1.Row_Setting:
				n.organisations[row.Setting.Id] = row.Setting.Name
			case *directoryv1.Row_Contact:
				n.contacts[row.Contact.Id] = row.Contact
			}
		}
	}
	return n, nil
}

// show reads the directory's rows of a kind.
func show(ctx context.Context, client directoryv1.DirectoryServiceClient, kind string) ([]*directoryv1.Row, error) {
	stream, err := client.Show(ctx, &directoryv1.ShowRequest{Kind: kind})
	if err != nil {
		return nil, rpc.Fault(err)
	}
	var rows []*directoryv1.Row
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, rpc.Fault(err)
		}
		rows = append(rows, response.Row)
	}
}

// organisation names an organisation; one of the event itself is a person who gave an address.
func (n *names) organisation(id string) string {
	switch name := n.organisations[id]; {
	case id == "event":
		return "The member of the public who referred"
	case name != "":
		return name
	case strings.HasPrefix(id, "gias:"), strings.HasPrefix(id, "ofsted:"):
		return "a setting that is not in the directory"
	default:
		return id
	}
}

// contact says who a contact is: name and role.
func (n *names) contact(id string) string {
	c := n.contacts[id]
	if c == nil {
		return ""
	}
	if role := roles()[c.Role]; role != "" {
		return c.Name + ", " + role
	}
	return c.Name
}

func roles() map[string]string {
	return map[string]string{
		"dsl": "DSL", "deputy_dsl": "deputy DSL", "head": "head",
		"elective_home_education": "home education officer",
	}
}

// contactAt is the name of the contact at an email address.
func (n *names) contactAt(address string) string {
	for _, c := range n.contacts {
		if c.Address == address {
			return c.Name
		}
	}
	return "the recipient"
}

// codesTo is where the one-time code for a mail to an address goes.
func (n *names) codesTo(address string) string {
	for _, c := range n.contacts {
		if c.Address == address && c.CodeAddress != "" {
			return c.CodeAddress
		}
	}
	return address
}
