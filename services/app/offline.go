package app

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/telephone"
)

// OfflineConfig is the sealed list of whom to call while the system is down. Empty, there is none.
type OfflineConfig struct {
	// Path of the file. Have it fetched to where it can be read when this machine cannot.
	Path string `yaml:"path"`
	// Recipients who may open it: public keys of the age format.
	Recipients []string `yaml:"recipients"`
}

func (c OfflineConfig) faults() []notice.FieldFault {
	var faults []notice.FieldFault
	if c.Path == "" && len(c.Recipients) > 0 {
		faults = append(faults, notice.FieldFault{Field: "offline.path", Message: "name the file that the list is written to"})
	}
	if c.Path != "" && len(c.Recipients) == 0 {
		faults = append(faults, notice.FieldFault{Field: "offline.recipients", Message: "name the public keys that may open the list: `signalbox offline key` makes one"})
	}
	for i, r := range c.Recipients {
		if err := telephone.Recipient(r); err != nil {
			faults = append(faults, notice.FieldFault{Field: fmt.Sprintf("offline.recipients[%d]", i), Message: err.Error()})
		}
	}
	return faults
}

const (
	// listEvery is how old the offline list grows.
	listEvery = time.Hour
	// listAgain is the pause before a list that could not be written is tried again.
	listAgain = time.Minute
	// heldSoon is how near its release a held notice is on the list.
	heldSoon = 24 * time.Hour
)

// keepOfflineList writes the offline list at the start and every hour. What cannot be written is said, and tried again.
func (s *Service) keepOfflineList(ctx context.Context) error {
	if s.config.Offline.Path == "" {
		s.log.Warn("there is no offline contact list: name offline.path and offline.recipients, or nobody knows whom to call when the system is down")
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.office.ready:
	}
	for {
		wait := listEvery
		if err := s.writeOfflineList(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the offline contact list cannot be written; it is tried again", zap.Error(err))
			wait = listAgain
		}
		next, stop := s.clock.Until(s.clock.Now().Add(wait))
		select {
		case <-ctx.Done():
			stop()
			return nil
		case <-next:
		}
		stop()
	}
}

func (s *Service) writeOfflineList(ctx context.Context) error {
	standing, err := s.standing(ctx)
	if err != nil {
		return err
	}
	snapshot, _ := s.holder.Current()
	list := telephone.NewList(snapshot, standing, s.config.Instance, s.clock.Now())
	return telephone.Write(s.config.Offline.Path, s.config.Offline.Recipients, list)
}

// standing lists the notices that no person has. A request to delete is none: whoever works by the list tells the incident
// of a line, and those who are asked to delete something must not be told of it again.
func (s *Service) standing(ctx context.Context) ([]telephone.Standing, error) {
	soon := s.clock.Now().Add(heldSoon).UnixMilli()
	var standing []telephone.Standing
	var sources []*ledgerv1.Source
	if err := s.office.View(ctx, func(state *ledger.State) {
		for _, n := range state.Notices {
			if n.Kind == string(notice.DeletionRequest) {
				continue
			}
			if !n.Phase.Ended() && (n.Phase != ledger.Held || n.ReleaseMs <= soon) {
				standing = append(standing, standingOf(state, n))
				sources = append(sources, toldLast(n))
			}
		}
	}); err != nil {
		return nil, err
	}
	for i, src := range sources {
		// Without its reference, where the event cannot be read now, a notice is on the list all the same.
		if body, err := s.office.Body(ctx, src); err == nil {
			standing[i].Reference = body.GetSubject()
		}
	}
	return standing, nil
}

func standingOf(state *ledger.State, n *ledger.Notice) telephone.Standing {
	l := state.Lineages[n.Lineage]
	st := telephone.Standing{
		Notice: n.Id, Agency: l.Agency, Kind: l.Kind, Organisation: notice.OrgID(n.Organisation), Due: time.UnixMilli(n.DueMs),
	}
	if n.Organisation == string(delivery.EventOrganisation) {
		st.Organisation = notice.OrgID(l.Agency) // who is named in an event is known to its publisher
	}
	if last := len(n.Chain) - 1; last >= 0 {
		st.LastResort = notice.OrgID(n.Chain[last].Organisation)
	}
	if t := state.Tasks[n.Task]; t != nil && !t.Ended() {
		st.Owner = notice.OrgID(t.Organisation)
	}
	if n.Child != "" {
		st.Children = []notice.ChildID{notice.ChildID(n.Child)}
	} else {
		for _, c := range l.Children {
			st.Children = append(st.Children, notice.ChildID(c.GetChild()))
		}
	}
	return st
}

// toldLast is the last event that a notice tells of.
func toldLast(n *ledger.Notice) *ledgerv1.Source {
	for i := len(n.Sources) - 1; i > 0; i-- {
		if n.Refs[i] != "" {
			return n.Sources[i]
		}
	}
	return n.Sources[0]
}
