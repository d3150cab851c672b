package app

import (
	"context"
	"path/filepath"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// agencyAccess is who may sign in to NATS, from the directory.
func agencyAccess(agencies []*directoryv1.Agency) []store.AgencyAccess {
	access := make([]store.AgencyAccess, 0, len(agencies))
	for _, a := range agencies {
		access = append(access, store.AgencyAccess{Agency: notice.AgencyID(a.Id), PublicKeys: []string{a.Nkey}})
	}
	return access
}

// AddAgency gives an organisation access: a stream of its own, a NATS user that can do nothing else, and a client
// certificate. Called again for the same agency it replaces the NATS user.
func (s *Service) AddAgency(ctx context.Context, agency *directoryv1.Agency) (*directoryv1.AddAgencyResponse, error) {
	const op = "app.AddAgency"
	var faults []notice.FieldFault
	id, err := notice.ParseAgencyID(agency.Id)
	if err != nil {
		faults = append(faults, notice.FieldFault{Field: "agency.id", Message: err.Error()})
	}
	snapshot, _ := s.holder.Current()
	if _, ok := snapshot.Organisation(notice.OrgID(agency.Organisation)); !ok {
		faults = append(faults, notice.FieldFault{Field: "agency.organisation",
			Message: "is not in the directory: import it first (signalbox directory import organisations FILE)"})
	}
	kinds, message := grantedKinds(agency.Kinds)
	if message != "" {
		faults = append(faults, notice.FieldFault{Field: "agency.kinds", Message: message})
	}
	if len(faults) > 0 {
		return nil, notice.InvalidFields(op, faults)
	}

	user, err := identity.NewNATSUser()
	if err != nil {
		return nil, err
	}
	peer, err := identity.NewPeer(identity.Agency, string(id))
	if err != nil {
		return nil, err
	}
	pair, err := s.ca.IssueClient(peer, wall(), clientValidity)
	if err != nil {
		return nil, err
	}
	if err := patiently(ctx, func() error { return s.store.ProvisionAgency(ctx, id) }); err != nil {
		return nil, err
	}
	serial, err := pair.Serial()
	if err != nil {
		return nil, err
	}
	row := &directoryv1.Agency{
		Id: agency.Id, Organisation: agency.Organisation, Kinds: kinds, Nkey: user.PublicKey, Certificate: serial,
	}
	if err := putRows(ctx, s.store.Directory(), &directoryv1.Row{Row: &directoryv1.Row_Agency{Agency: row}}); err != nil {
		return nil, err
	}
	if err := s.Changed(ctx); err != nil {
		return nil, err
	}
	response := &directoryv1.AddAgencyResponse{
		NatsSeed: user.Seed, Certificate: pair.CertPEM, PrivateKey: pair.KeyPEM, Authority: s.ca.CertPEM(),
	}
	if s.nats == nil {
		response.NatsConfiguration, err = s.externalConfiguration()
	}
	return response, err
}

// grantedKinds are the kinds of event that an agency may publish as its row of the directory has them, where none is every
// kind; or what is wrong with those asked for.
func grantedKinds(asked []string) (kinds []string, message string) {
	switch {
	case len(asked) == 0:
		return nil, "is empty: name the kinds of event that the agency may publish, such as encompass.incident, or all"
	case len(asked) == 1 && asked[0] == notice.EveryKind:
		return nil, ""
	}
	for _, kind := range asked {
		if !slices.Contains(notice.EventKinds(), notice.EventKind(kind)) {
			return nil, "names a kind of event that does not exist: give kinds such as encompass.incident, or all alone"
		}
	}
	return asked, ""
}

// RemoveAgency ends an agency's access. Its stream, and what was made of it, stays.
func (s *Service) RemoveAgency(ctx context.Context, id string) (*directoryv1.RemoveAgencyResponse, error) {
	snapshot, _ := s.holder.Current()
	row, ok := snapshot.Agency(notice.AgencyID(id))
	if !ok {
		return nil, notice.Faultf(notice.NotFound, "app.RemoveAgency", "there is no such agency: see `signalbox agency list`")
	}
	generation, err := s.store.Directory().Begin(ctx)
	if err != nil {
		return nil, err
	}
	kind, key := directory.KeyOf(directory.AgencyRow(row))
	if err := generation.Delete(ctx, kind, key); err != nil {
		return nil, err
	}
	if _, err := generation.Commit(ctx); err != nil {
		return nil, err
	}
	if err := s.Changed(ctx); err != nil {
		return nil, err
	}
	response := &directoryv1.RemoveAgencyResponse{}
	if s.nats == nil {
		response.NatsConfiguration, err = s.externalConfiguration()
	}
	return response, err
}

// externalConfiguration is what an external server must be given for the agencies that the directory has now.
func (s *Service) externalConfiguration() (string, error) {
	snapshot, _ := s.holder.Current()
	return store.RenderConfig(externalConfig(filepath.Dir(s.config.NATS.Seed), s.routerKey,
		s.config.NATS.StoreBytes, agencyAccess(snapshot.Agencies())))
}

// Changed has the service take notice of a change of the directory: when it returns, the change is in force here.
func (s *Service) Changed(ctx context.Context) error {
	if err := s.holder.load(ctx); err != nil {
		return err
	}
	snapshot, _ := s.holder.Current()
	if s.nats != nil {
		access := agencyAccess(snapshot.Agencies())
		s.accessing.Lock()
		defer s.accessing.Unlock()
		if !sameAccess(s.access, access) {
			if err := s.nats.SetAgencies(ctx, access); err != nil {
				return err
			}
			s.access = access
		}
	}
	s.office.Refresh()
	return nil
}

func sameAccess(a, b []store.AgencyAccess) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Agency != b[i].Agency || a[i].PublicKeys[0] != b[i].PublicKeys[0] {
			return false
		}
	}
	return true
}
