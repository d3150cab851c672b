package rpc

import (
	"context"
	"crypto/tls"
	"io"
	"time"

	"go.uber.org/zap"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/store"
)

// Viewer shows what the engine knows.
type Viewer interface {
	View(ctx context.Context, fn func(*ledger.State)) error
	// Body reads an event of the ledger. One that was erased is NotFound.
	Body(ctx context.Context, src *ledgerv1.Source) (*eventv1.Event, error)
	// EventKey is an event's name in the ledger.
	EventKey(agency notice.AgencyID, id string) string
}

// Commands are what people have the engine record. Each is durable when it returns.
type Commands interface {
	Acknowledge(ctx context.Context, by *ledgerv1.Acknowledged) error
	Reply(ctx context.Context, r *ledgerv1.Replied) error
	ClaimTask(ctx context.Context, task, by string) error
	TaskRead(ctx context.Context, read *ledgerv1.TaskRead) error
	ResolveTask(ctx context.Context, r *ledgerv1.TaskResolved) error
}

// Switch stops sending and resumes it. Each is durable when it returns.
type Switch interface {
	Stop(ctx context.Context, f *ledgerv1.Stopped) error
	Resume(ctx context.Context, f *ledgerv1.Resumed) error
}

// Telephone takes in who was told by telephone. It is durable when it returns.
type Telephone interface {
	ToldByTelephone(ctx context.Context, f *ledgerv1.ToldByTelephone) error
}

// Inboxes records what became of notices and lists that lie in inboxes. It is durable when it returns.
type Inboxes interface {
	Fetched(ctx context.Context, ends []*ledgerv1.AttemptFinished) error
	// AwaitInbox returns once holds is true of a state and of how much of an agency's inbox is durable: no more of it may be
	// handed on.
	AwaitInbox(ctx context.Context, agency notice.AgencyID, holds func(s *ledger.State, durable int) bool) error
	// ListShown records that a list is about to be shown to an agency.
	ListShown(ctx context.Context, f *ledgerv1.WhereaboutsListed) error
}

// Replays has events decided anew.
type Replays interface {
	PlanReplay(ctx context.Context, chosen *ledgerv1.Replayed) (*replayv1.Plan, error)
	// Replay is durable when it returns. Where the plan would be another one now it is a Conflict.
	Replay(ctx context.Context, f *ledgerv1.Replayed) error
}

// Confirmer has the instance that leads trust its clock. It is durable when it returns.
type Confirmer interface {
	ConfirmClock(ctx context.Context, f *ledgerv1.ClockConfirmed) error
}

// Engine is the one writer.
type Engine interface {
	Viewer
	Commands
	Withdrawer
	Switch
	Telephone
	Inboxes
	Replays
	Confirmer
}

// Publisher stores events on an agency's behalf.
type Publisher interface {
	Publish(ctx context.Context, agency notice.AgencyID, family string, header store.Header, data []byte, msgID string) (uint64, error)
}

// Quarantine is where refused events are.
type Quarantine interface {
	GetQuarantined(ctx context.Context, seq uint64) (store.Refused, error)
	ListQuarantine(ctx context.Context, agency notice.AgencyID, from uint64, limit int) ([]store.Refused, error)
}

// Streams says how far the agencies' streams go.
type Streams interface {
	// Last is the sequence of the newest event, 0 where there is none.
	Last(ctx context.Context, agency notice.AgencyID) (uint64, error)
}

// Events are the agencies' events.
type Events interface {
	Publisher
	Quarantine
	Streams
}

// Log is the ledger's packs, as they were stored.
type Log interface {
	Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error)
}

// Directory is where the directory's rows are kept.
type Directory interface {
	Begin(ctx context.Context) (*store.Generation, error)
	Load(ctx context.Context) (store.Snapshot, error)
}

// Vault keeps what people wrote where it can be erased, and gives its number.
type Vault interface {
	Keep(ctx context.Context, text string) (uint64, error)
	// Get reads a text. One that was erased is NotFound.
	Get(ctx context.Context, number uint64) (string, error)
}

// Archive writes the whole state of the service.
type Archive interface {
	WriteBackup(ctx context.Context, w io.Writer) error
}

// Access gives agencies access.
type Access interface {
	AddAgency(ctx context.Context, agency *directoryv1.Agency) (*directoryv1.AddAgencyResponse, error)
	RemoveAgency(ctx context.Context, id string) (*directoryv1.RemoveAgencyResponse, error)
	// Changed has the process take notice of a committed change of the directory: it is in force when it returns.
	Changed(ctx context.Context) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Deps are the server's parts.
type Deps struct {
	Engine    Engine
	Events    Events
	Log       Log
	Directory Directory
	Vault     Vault
	Access    Access
	Archive   Archive
	Guard     Guard
	Query     Query
	Intake    *intake.Intake
	Current   func() (*directory.Snapshot, *policy.Policy) // in force
	Clock     Clock
	Logger    *zap.Logger
}

func (d Deps) complete() bool {
	return d.Engine != nil && d.Events != nil && d.Log != nil && d.Directory != nil && d.Vault != nil && d.Access != nil && d.Archive != nil && d.Guard != nil &&
		d.Query != nil && d.Intake != nil && d.Current != nil && d.Clock != nil && d.Logger != nil
}

// Config is the server's settings.
type Config struct {
	Listen    string      // host:port; port 0 takes a free one, see Server.Addr
	TLS       *tls.Config // as identity.ServerTLS makes it
	Key       notice.Key
	Live      bool // refuse exercises and tests
	MaxImport int  // bytes of one imported file; 0 is 256 MiB
}

const defaultMaxImport = 256 << 20

func (c Config) check() error {
	const op = "rpc.New"
	switch {
	case c.Listen == "":
		return notice.Faultf(notice.Invalid, op, "listen: give host:port")
	case c.TLS == nil || c.TLS.ClientAuth != tls.RequireAndVerifyClientCert || c.TLS.ClientCAs == nil:
		return notice.Faultf(notice.Invalid, op, "TLS: the server must require and verify client certificates of its own authority")
	case c.MaxImport < 0:
		return notice.Faultf(notice.Invalid, op, "max import: use 0 or more bytes")
	}
	return nil
}
