package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// natsPublisher sends events as messages, each with a reply subject for the stream's acknowledgement.
type natsPublisher struct {
	url      string
	agency   notice.AgencyID
	who      credentials
	encoding intake.Encoding
	wait     time.Duration
}

func (p natsPublisher) publish(ctx context.Context, events []*eventv1.Event, answer func(int, sent)) error {
	const op = "cli.publish"
	var refusal atomic.Pointer[error] // what the server says of the connection, apart from any reply
	nc, err := p.connect(func(err error) { refusal.Store(&err) })
	if err != nil {
		return err
	}
	defer nc.Close()
	for i, ev := range events {
		header, data, err := intake.Encode(ev, p.encoding)
		if err != nil {
			answer(i, sent{faults: fieldsOr(err)})
			continue
		}
		m := &nats.Msg{
			Subject: store.EventSubject(p.agency, notice.EventKind(ev.GetType()).Family()), Header: nats.Header(header), Data: data,
		}
		sequence, err := p.one(ctx, nc, m)
		if err != nil {
			if said := refusal.Load(); said != nil {
				err = fmt.Errorf("%w (%w)", err, *said)
			}
			return notice.Fault(notice.Unavailable, op, fmt.Errorf(
				"no acknowledgement of event %d of %d, so it is not accepted: %w; publish it and those behind it again, an event counts once",
				i+1, len(events), err))
		}
		answer(i, sent{sequence: sequence})
	}
	return nil
}

// one publishes a message and waits for the stream to say that it has it.
func (p natsPublisher) one(ctx context.Context, nc *nats.Conn, m *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	reply, err := nc.RequestMsgWithContext(ctx, m)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return 0, errors.New("nothing takes events of this agency: has it just been added? Wait a moment")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return 0, fmt.Errorf("no answer within %s", p.wait)
	case err != nil:
		return 0, err
	}
	return readAck(reply.Data)
}

// readAck reads the stream's acknowledgement. Anything but a stream and a sequence is none.
func readAck(data []byte) (uint64, error) {
	var ack struct {
		Stream   string `json:"stream"`
		Sequence uint64 `json:"seq"`
		Error    *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	switch err := json.Unmarshal(data, &ack); {
	case err != nil:
		return 0, errors.New("the answer is not an acknowledgement of a stream")
	case ack.Error != nil:
		return 0, fmt.Errorf("the stream refused it (%s)", plain(ack.Error.Description))
	case ack.Stream == "" || ack.Sequence == 0:
		return 0, errors.New("the answer is not an acknowledgement of a stream")
	}
	return ack.Sequence, nil
}

func (p natsPublisher) connect(said func(error)) (*nats.Conn, error) {
	const op = "cli.publish"
	seed := filepath.Join(p.who.dir, identitySeed)
	if _, err := os.Stat(seed); err != nil {
		return nil, notice.Faultf(notice.NotFound, op, "the identity folder %s has no %s, the agency's key for NATS: %s", p.who.dir, identitySeed, howToGetOne)
	}
	key, err := nats.NkeyOptionFromSeed(seed)
	if err != nil {
		return nil, notice.Faultf(notice.Invalid, op, "%s does not hold an nkey seed: %s", seed, howToGetOne)
	}
	nc, err := nats.Connect(p.url, key,
		nats.Name("signalbox publish"),
		nats.RootCAs(filepath.Join(p.who.dir, identityRoots)),
		nats.Secure(), // also for an address that begins with nats://
		nats.CustomInboxPrefix(store.InboxPrefix(p.agency)),
		nats.NoReconnect(),
		nats.Timeout(p.wait),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { said(err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				said(err)
			}
		}),
	)
	switch {
	case err == nil:
		return nc, nil
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		return nil, notice.Faultf(notice.Denied, op,
			"the NATS server at %s does not know the key of %s: %s; an agency that was added again has a new key", p.url, p.agency, howToGetOne)
	default:
		return nil, notice.Faultf(notice.Unavailable, op,
			"no NATS server of this service answers at %s (%w): start the service, or name another address with --nats URL or SIGNALBOX_NATS", p.url, err)
	}
}
