package store

import (
	"context"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// commandWorkers is how many commands are carried out at once: each waits for its pack.
const commandWorkers = 16

// commandSubject is where the leader of an epoch hears commands. Agencies' accounts do not reach it.
func commandSubject(epoch uint64) string {
	return "signalbox.command." + strconv.FormatUint(epoch, 10)
}

// Command asks the leader of an epoch and returns its answer. NotFound: nobody leads in that epoch, and nothing was
// done. Unavailable: no answer came, and it may have been carried out all the same.
func (s *Store) Command(ctx context.Context, epoch uint64, request []byte) ([]byte, error) {
	const op = "store.Command"
	reply, err := s.nc.RequestWithContext(ctx, commandSubject(epoch), request)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, notice.Fault(notice.NotFound, op, err)
	case err != nil:
		return nil, fault(op, err)
	}
	return reply.Data, nil
}

// ServeCommands answers the commands of an epoch with what fn returns, until the context ends; it then returns nil once
// those in hand are answered. fn is called from several goroutines. Only the leader of the epoch may call it: the first
// answer counts.
func (s *Store) ServeCommands(ctx context.Context, epoch uint64, fn func(ctx context.Context, request []byte) []byte) error {
	const op = "store.ServeCommands"
	requests := make(chan *nats.Msg, 256)
	sub, err := s.nc.ChanSubscribe(commandSubject(epoch), requests)
	if err != nil {
		return fault(op, err)
	}
	var group errgroup.Group
	for range commandWorkers {
		group.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case m := <-requests:
					if m.Reply != "" {
						// A lost answer is the other side's timeout.
						_ = s.nc.Publish(m.Reply, fn(ctx, m.Data))
					}
				}
			}
		})
	}
	err = group.Wait()
	if unsub := sub.Unsubscribe(); unsub != nil && !errors.Is(unsub, nats.ErrConnectionClosed) {
		err = errors.Join(err, unsub)
	}
	return fault(op, err)
}
