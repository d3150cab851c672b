package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// Files of an identity folder.
const (
	identityCert  = "client.crt"
	identityKey   = "client.key"
	identityRoots = "ca.crt"
	identitySeed  = "nats.seed"
)

// connection is how a command reaches the service.
type connection struct {
	Server   string        `group:"connection" placeholder:"HOST:PORT" default:"127.0.0.1:7443" env:"SIGNALBOX_SERVER" help:"The service's gRPC address; else 127.0.0.1:7443."`
	Identity string        `group:"connection" placeholder:"DIR" env:"SIGNALBOX_IDENTITY" help:"Folder with client.crt, client.key and ca.crt: who you are, and whom to trust."`
	Timeout  time.Duration `group:"connection" placeholder:"SPAN" default:"30s" help:"How long to wait for an answer, such as 90s or 5m; else 30s."`
}

// Validate refuses what cannot be an address before anything is tried.
func (c *connection) Validate() error {
	if host, port, err := net.SplitHostPort(c.Server); err != nil || host == "" || port == "" {
		return errors.New("--server must be host:port, for example 127.0.0.1:7443")
	}
	if c.Timeout <= 0 {
		return errors.New("--timeout must be above zero, for example 30s")
	}
	return nil
}

// credentials are what an identity folder holds.
type credentials struct {
	dir  string
	peer identity.Peer
	tls  *tls.Config
}

const howToGetOne = "an operator makes one for an agency with `signalbox agency add`, for an operator with `signalbox operator add`; the service's first is DATA/identities/admin"

// credentials reads the identity folder.
func (c *connection) credentials() (credentials, error) {
	if c.Identity == "" {
		return credentials{}, usagef("who are you? Name your identity folder with --identity DIR or SIGNALBOX_IDENTITY (%s)", howToGetOne)
	}
	pair, err := identity.LoadPair(filepath.Join(c.Identity, identityCert), filepath.Join(c.Identity, identityKey))
	if err != nil {
		return credentials{}, identityFault(c.Identity, err)
	}
	roots, err := identity.LoadRoots(filepath.Join(c.Identity, identityRoots))
	if err != nil {
		return credentials{}, identityFault(c.Identity, err)
	}
	config, err := identity.ClientTLS(pair, roots)
	if err != nil {
		return credentials{}, identityFault(c.Identity, err)
	}
	peer, err := identity.PeerFromCert(config.Certificates[0].Leaf)
	if err != nil {
		return credentials{}, identityFault(c.Identity, err)
	}
	return credentials{dir: c.Identity, peer: peer, tls: config}, nil
}

// expired reports whether the certificate's time is over. It is asked only once a call has failed, since the clock here may
// be the one that is wrong: a server says no more than to close the connection.
func (c credentials) expired(now time.Time) bool {
	return now.After(c.tls.Certificates[0].Leaf.NotAfter)
}

// agency is the agency that the folder is of.
func (c credentials) agency() (notice.AgencyID, error) {
	if c.peer.Kind != identity.Agency {
		return "", notice.Faultf(notice.Denied, "cli.identity",
			"%s is the identity of the %s %s: only an agency publishes; use the folder that `signalbox agency add` wrote", c.dir, c.peer.Kind, c.peer.Name)
	}
	return notice.AgencyID(c.peer.Name), nil
}

func identityFault(dir string, err error) error {
	const op = "cli.identity"
	switch {
	case !isFolder(dir):
		return notice.Faultf(notice.NotFound, op, "there is no identity folder %s: %s", dir, howToGetOne)
	case errors.Is(err, fs.ErrNotExist):
		return notice.Faultf(notice.NotFound, op, "the identity folder %s lacks a file (it needs %s, %s and %s): %s",
			dir, identityCert, identityKey, identityRoots, howToGetOne)
	default:
		return notice.Faultf(notice.Invalid, op, "the identity folder %s cannot be used: %s", dir, faultText(err))
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// link is an open connection and who it is of.
type link struct {
	*connection
	conn *grpc.ClientConn
	who  credentials
}

// dial opens the connection, which is there when it returns.
func (c *connection) dial(ctx context.Context) (link, error) {
	who, err := c.credentials()
	if err != nil {
		return link{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	conn, err := rpc.Dial(ctx, c.Server, who.tls)
	switch {
	case err == nil:
	case notice.KindOf(err) == notice.Unavailable, isWebServer(err.Error()):
		return link{}, c.unreachable(who, faultText(err))
	default:
		return link{}, notice.Fault(notice.KindOf(err), "cli.dial", fmt.Errorf(
			"the service at %s refuses the %s %s: %s", c.Server, who.peer.Kind, who.peer.Name, faultText(err)))
	}
	return link{connection: c, conn: conn, who: who}, nil
}

func (l link) close() { _ = l.conn.Close() }

// call makes one call with the time limit.
func call[Request, Response any](ctx context.Context, l link, method func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request,
) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	response, err := method(ctx, request)
	if err != nil {
		var none Response
		return none, l.fault(err)
	}
	return response, nil
}

// asker is a command that makes one call.
type asker interface {
	dial(ctx context.Context) (link, error)
	json() bool
}

// ask makes one call and prints its answer: as it is for programs, by print for people.
func ask[Client, Request any, Response proto.Message](
	ctx context.Context, e *env, c asker, client func(grpc.ClientConnInterface) Client,
	method func(Client, context.Context, Request, ...grpc.CallOption) (Response, error), request Request, print func(io.Writer, Response) error,
) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, func(ctx context.Context, request Request, options ...grpc.CallOption) (Response, error) {
		return method(client(l.conn), ctx, request, options...)
	}, request)
	switch {
	case err != nil:
		return err
	case c.json():
		return printJSON(e.Out, response)
	default:
		return print(e.Out, response)
	}
}
