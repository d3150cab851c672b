package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	// A new account's service import is dead after the reload that brings it and alive after the next one
	// (nats-server 2.15.2); its stream import works at once and hides that. Reloading twice is the cure.
	reloads = 2
	// A probe crosses in well under a millisecond; a lost one is tried again after another reload.
	probeWait     = 2 * time.Second
	probeAttempts = 3
)

// SetAgencies replaces the agencies the server knows, while it runs. A client of an agency or key that is gone is
// cut off. It returns once the events of every new agency are seen to come through.
//
// While it reloads, an event of any agency may for a moment be answered "no responders": it was not stored. A JetStream
// publish, in every NATS client, tries again by itself; a plain request has to.
func (s *Server) SetAgencies(ctx context.Context, agencies []AgencyAccess) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.reload(agencies, reloads); err != nil {
		return err
	}
	for _, a := range agencies {
		if slices.ContainsFunc(s.agencies, func(k AgencyAccess) bool { return k.Agency == a.Agency }) {
			continue
		}
		if err := s.awaitImport(ctx, a.Agency, agencies); err != nil {
			return err
		}
	}
	s.agencies = slices.Clone(agencies)
	return nil
}

func (s *Server) reload(agencies []AgencyAccess, times int) error {
	for range times {
		opts, err := s.options(agencies) // the server keeps what it is given: a fresh one each time
		if err != nil {
			return err
		}
		if err := s.ns.ReloadOptions(opts); err != nil {
			return notice.Fault(notice.Internal, "store.SetAgencies", err)
		}
	}
	return nil
}

// awaitImport proves the way from the agency's account into ROUTER with a message that no stream keeps.
func (s *Server) awaitImport(ctx context.Context, agency notice.AgencyID, agencies []AgencyAccess) error {
	const op = "store.SetAgencies"
	router, err := s.Connect()
	if err != nil {
		return err
	}
	defer router.Close()
	subject := EventSubject(agency, probeFamily)
	heard, err := router.SubscribeSync(subject)
	if err != nil {
		return fault(op, err)
	}
	if err := router.FlushTimeout(probeWait); err != nil {
		return fault(op, err)
	}
	for attempt := range probeAttempts {
		if err := ctx.Err(); err != nil {
			return fault(op, err)
		}
		if attempt > 0 {
			if err := s.reload(agencies, 1); err != nil {
				return err
			}
		}
		if err := s.sendProbe(agency, subject); err != nil {
			return err
		}
		_, err := heard.NextMsg(probeWait)
		if err == nil {
			return nil
		}
		if !errors.Is(err, nats.ErrTimeout) {
			return fault(op, err)
		}
	}
	return notice.Fault(notice.Internal, op,
		fmt.Errorf("agency %s is known to the server but its events do not come through: restart Signalbox", agency))
}

func (s *Server) sendProbe(agency notice.AgencyID, subject string) error {
	const op = "store.SetAgencies"
	nc, err := s.connectAs(op, s.probes[agency])
	if err != nil {
		return err
	}
	defer nc.Close()
	msg := nats.NewMsg(subject)
	msg.Header.Set(jetstream.ExpectedStreamHeader, probeFamily) // the agency's stream refuses to store it
	if err := nc.PublishMsg(msg); err != nil {
		return fault(op, err)
	}
	return fault(op, nc.FlushTimeout(probeWait))
}
