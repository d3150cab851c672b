package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type agencyCmd struct {
	Add    agencyAddCmd    `cmd:"" help:"Give an organisation access, and write its identity folder."`
	Remove agencyRemoveCmd `cmd:"" help:"End an agency's access at once."`
	List   agencyListCmd   `cmd:"" help:"List who has access."`
}

type agencyAddCmd struct {
	ID           string   `arg:"" help:"The agency's id, the source of its events: 2 to 39 lower-case letters, digits and hyphens."`
	Organisation string   `required:"" placeholder:"ORG" help:"The organisation in the directory that it acts for."`
	Kinds        []string `required:"" placeholder:"KIND" help:"Kinds of event that it may publish, such as encompass.incident; all for every kind. Give no more than it needs: what a publisher hears of an event says whether a child is known."`
	Out          string   `placeholder:"DIR" help:"Folder to write. Else one named after the agency, here."`
	connection
}

func (agencyAddCmd) Help() string {
	return `Writes client.crt, client.key, ca.crt and nats.seed. The service keeps no copy of the private parts, so hand the folder over by a safe way, and add the agency again if it is lost: its old key for NATS then ends.

    signalbox agency add kestrel-vale-police --organisation kestrel-vale-police --kinds encompass.incident
    signalbox publish incident.json --identity kestrel-vale-police

Where the service uses an external NATS server, its new configuration is printed too.`
}

func (c *agencyAddCmd) Run(ctx context.Context, e *env) error {
	if _, err := notice.ParseAgencyID(c.ID); err != nil {
		return usagef("%v", err)
	}
	if slices.Contains(c.Kinds, "") || len(c.Kinds) == 0 { // a variable of the shell that is not set
		return usagef("--kinds is empty: name the kinds of event that the agency may publish, or say --kinds %s for every kind", notice.EveryKind)
	}
	dir := c.Out
	if dir == "" {
		dir = c.ID
	}
	// The private parts come once, so there must be a place for them before they are asked for.
	if err := prepareFolder(dir); err != nil {
		return err
	}
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, directoryv1.NewDirectoryServiceClient(l.conn).AddAgency, &directoryv1.AddAgencyRequest{
		Agency: &directoryv1.Agency{Id: c.ID, Organisation: c.Organisation, Kinds: c.Kinds},
	})
	if err != nil {
		return err
	}
	pair := identity.Pair{CertPEM: response.GetCertificate(), KeyPEM: response.GetPrivateKey()}
	if err := writeIdentity(dir, pair, response.GetAuthority(), response.GetNatsSeed()); err != nil {
		return fmt.Errorf("the agency was added, but its identity could not be kept (add it again): %w", err)
	}
	printAgencyAdded(e.Out, c.ID, dir, response.GetNatsConfiguration())
	return nil
}

type agencyRemoveCmd struct {
	ID string `arg:"" help:"The agency, as in agency list."`
	connection
}

func (agencyRemoveCmd) Help() string {
	return `Its NATS user and its certificate no longer count. What it published stays, and what was told of it.

    signalbox agency remove kestrel-vale-police

To replace a lost identity, add the agency again instead: the old one then ends.`
}

func (c *agencyRemoveCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, directoryv1.NewDirectoryServiceClient(l.conn).RemoveAgency, &directoryv1.RemoveAgencyRequest{Id: c.ID})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Agency %s has no access any more.\n", c.ID)
	printNATSConfiguration(e.Out, response.GetNatsConfiguration())
	return nil
}

func printAgencyAdded(w io.Writer, id, dir, configuration string) {
	fmt.Fprintf(w, "Agency %s has access. Its identity is in %s: hand it over by a safe way, and keep no copy.\n", id, dir)
	printNATSConfiguration(w, configuration)
}

// printNATSConfiguration prints what an external NATS server is to be given; empty where it is embedded.
func printNATSConfiguration(w io.Writer, configuration string) {
	if configuration == "" {
		return
	}
	fmt.Fprintf(w, `
The NATS server is external. Make this its configuration, with its own paths:

%s
Then reload it twice (a new account's imports are dead until the second time):

    nats-server --signal reload
    nats-server --signal reload
`, configuration)
}

// prepareFolder makes sure that an identity can be written into a folder.
func prepareFolder(dir string) error {
	const op = "cli.prepareFolder"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return notice.Faultf(notice.Invalid, op, "the folder cannot be made: %w; name another with --out", err)
	}
	for _, name := range []string{identityCert, identityKey, identityRoots, identitySeed} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return notice.Faultf(notice.Conflict, op, "%s has a %s already: move it away, or name another folder with --out", dir, name)
		}
	}
	probe, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return notice.Faultf(notice.Invalid, op, "the folder cannot be written to: %w; name another with --out", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func writeIdentity(dir string, pair identity.Pair, authority, seed []byte) error {
	if _, _, err := pair.WriteFiles(dir, strings.TrimSuffix(identityCert, ".crt")); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, identityRoots), authority, 0o600); err != nil {
		return err
	}
	if len(seed) == 0 {
		return nil
	}
	return identity.Secret(seed).WriteFile(filepath.Join(dir, identitySeed))
}

type agencyListCmd struct {
	output
	connection
}

func (c *agencyListCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, directoryv1.NewDirectoryServiceClient(l.conn).ListAgencies, &directoryv1.ListAgenciesRequest{})
	switch {
	case err != nil:
		return err
	case c.json():
		return printJSON(e.Out, response)
	case len(response.GetAgencies()) == 0:
		fmt.Fprintln(e.Out, "No agency has access. Add one with `signalbox agency add`.")
		return nil
	}
	t := newTable(e.Out, "AGENCY", "ORGANISATION", "MAY PUBLISH")
	for _, a := range response.GetAgencies() {
		t.row(a.GetId(), a.GetOrganisation(), agencyKinds(a))
	}
	return t.flush()
}

type operatorCmd struct {
	Add operatorAddCmd `cmd:"" help:"Make a client certificate for an operator. Needs the service's data folder."`
}

type operatorAddCmd struct {
	Name string `arg:"" help:"The operator's name: up to 63 lower-case letters, digits, dots and hyphens."`
	Data string `required:"" placeholder:"DIR" help:"The service's data folder, which holds its authority."`
	Out  string `placeholder:"DIR" help:"Folder to write. Else one named after the operator, here."`
	Days int    `placeholder:"N" default:"365" help:"Days for which the certificate is good."`
}

func (operatorAddCmd) Help() string {
	return `Run it where the service runs. Whoever can read the data folder can make operators.

    signalbox operator add m.okoro --data /var/lib/signalbox --out m.okoro
    signalbox task list --identity m.okoro`
}

func (c *operatorAddCmd) Run(e *env) error {
	const op = "cli.operatorAdd"
	peer, err := identity.NewPeer(identity.Operator, c.Name)
	if err != nil {
		return usagef("%s", faultText(err))
	}
	if c.Days < 1 {
		return usagef("--days must be 1 or more")
	}
	ca, err := identity.LoadCA(filepath.Join(c.Data, "ca"))
	switch {
	case notice.KindOf(err) == notice.NotFound && err != nil:
		return notice.Faultf(notice.NotFound, op,
			"%s holds no authority: name the data folder of a service that has been started once (`data` in its configuration)", c.Data)
	case err != nil:
		return err
	}
	dir := c.Out
	if dir == "" {
		dir = c.Name
	}
	if err := prepareFolder(dir); err != nil {
		return err
	}
	pair, err := ca.IssueClient(peer, e.now(), time.Duration(c.Days)*24*time.Hour)
	if err != nil {
		return err
	}
	if err := writeIdentity(dir, pair, ca.CertPEM(), nil); err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Operator %s has an identity in %s, good for %s. Use it with --identity %s.\n",
		c.Name, dir, plural(int64(c.Days), "day", "days"), dir)
	return nil
}
