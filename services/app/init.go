package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// The files that Init writes for an external NATS server, beside its certificate server.crt and server.key.
const (
	NATSConfigFile = "nats.conf"
	RouterSeedFile = "router.seed"
)

// Owner is the environment variable with the user and group, `UID:GID`, to whom Init hands over what it has written.
const Owner = "SIGNALBOX_OWNER"

// Init prepares a deployment with an external NATS server before its first start: the data folder's authority and keys, the
// first operator's identity, and in dir what the server needs: its configuration, a certificate for names (which other
// listeners beside it may share), and the seed of Signalbox's own user. What is there already stays as it is, but for a
// certificate that is about to end.
func Init(ctx context.Context, c Config, dir string, names []string) error {
	const op = "app.Init"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return notice.Fault(notice.Invalid, op, err)
	}
	s := &Service{config: c}
	if err := s.openIdentity(ctx); err != nil { // the ledger's key too: it is copied to every instance
		return err
	}
	if err := s.sharedCertificate(dir, append(append([]string{}, names...), c.Names...)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, NATSConfigFile)); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		return handOver(os.Getenv(Owner), c.Data) // it is prepared already
	}
	if err := os.WriteFile(filepath.Join(dir, RootsFile), s.ca.CertPEM(), 0o644); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	user, err := identity.NewNATSUser()
	if err != nil {
		return err
	}
	if err := user.Seed.WriteFile(filepath.Join(dir, RouterSeedFile)); err != nil {
		return err
	}
	text, err := store.RenderConfig(externalConfig(dir, user.PublicKey, c.NATS.StoreBytes, nil))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, NATSConfigFile), []byte(text), 0o644); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return handOver(os.Getenv(Owner), c.Data, dir)
}

// sharedCertificate writes the certificate that an external server and other listeners beside it use. Nobody renews it
// while they run, so it lasts as long as a client's, and is renewed by an Init in its last months.
func (s *Service) sharedCertificate(dir string, names []string) error {
	good, err := stillGood(dir, "server")
	if err != nil || good {
		return err
	}
	request := serverRequest(names, clientValidity)
	request.Calls = true // the nodes of a cluster show it to each other
	pair, err := s.ca.IssueServer(request)
	if err != nil {
		return err
	}
	_, _, err = pair.WriteFiles(dir, "server")
	return err
}

// handOver gives folders and all in them to a user and group, `UID:GID`; empty leaves them.
func handOver(owner string, dirs ...string) error {
	if owner == "" {
		return nil
	}
	var uid, gid int
	if _, err := fmt.Sscanf(owner, "%d:%d", &uid, &gid); err != nil {
		return notice.Faultf(notice.Invalid, "app.Init", "%s must be UID:GID, two numbers", Owner)
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, uid, gid)
		})
		if err != nil {
			return fmt.Errorf("app.Init: %w", err)
		}
	}
	return nil
}

// externalConfig is the configuration of an external server whose files are in dir.
func externalConfig(dir, routerKey string, room int64, agencies []store.AgencyAccess) store.Config {
	return store.Config{
		StoreDir: filepath.Join(dir, "jetstream"), Listen: "0.0.0.0:4222",
		TLS:       store.TLSFiles{CertFile: filepath.Join(dir, "server.crt"), KeyFile: filepath.Join(dir, "server.key")},
		RouterKey: routerKey, RouterStore: room, Agencies: agencies,
	}
}

// wall is the machine's time: certificates are valid by it, whatever clock the service runs on.
func wall() time.Time { return time.Now() }
