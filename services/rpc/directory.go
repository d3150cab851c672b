package rpc

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type directoryService struct {
	directoryv1.UnimplementedDirectoryServiceServer
	Deps
	key       notice.Key
	maxImport int
	importing chan struct{} // holds the import under way: two at once would only undo one another
}

// Show returns the rows in force that fit a kind, an id and an organisation. Children, who is involved with them, and
// postcodes are shown only where their kind is asked for by name. A child whose whereabouts are sealed is not there at
// all, nor is anybody involved with it.
func (s *directoryService) Show(req *directoryv1.ShowRequest, stream grpc.ServerStreamingServer[directoryv1.ShowResponse]) error {
	const op = "rpc.Show"
	kinds := slices.DeleteFunc(directory.Kinds(), func(k string) bool {
		return k == directory.KindChild || k == directory.KindNetwork || k == directory.KindPostcode
	})
	if kind := req.GetKind(); kind != "" {
		if !slices.Contains(directory.Kinds(), kind) {
			return notice.InvalidFields(op, []notice.FieldFault{{
				Field: "kind", Message: "is not a kind of row: use one of " + strings.Join(directory.Kinds(), ", "),
			}})
		}
		kinds = []string{kind}
	}
	snapshot, _ := s.Current()
	found := false
	for _, kind := range kinds {
		for _, row := range rowsOf(snapshot, kind, req.GetId()) {
			if sealed(snapshot, row) || req.GetOrganisation() != "" && !belongs(row, req.GetOrganisation()) {
				continue
			}
			found = true
			if err := stream.Send(&directoryv1.ShowResponse{Row: row}); err != nil {
				return err
			}
		}
	}
	if req.GetId() != "" && !found {
		return notice.Faultf(notice.NotFound, op, "the directory has no such row")
	}
	return nil
}

// sealed says whether a row is that of a child about whom every answer is the one about a child nobody knows, or of
// somebody involved with such a child.
func sealed(snapshot *directory.Snapshot, row *directoryv1.Row) bool {
	child := cmp.Or(row.GetChild().GetId(), row.GetNetworkMember().GetChild(), row.GetSubscription().GetChild())
	return child != "" && slices.ContainsFunc(snapshot.Restrictions(notice.ChildID(child)), directory.Seals)
}

func rowsOf(snapshot *directory.Snapshot, kind, id string) []*directoryv1.Row {
	if id == "" {
		return snapshot.Rows(kind)
	}
	if row, ok := snapshot.Row(kind, id); ok {
		return []*directoryv1.Row{row}
	}
	return nil
}

// belongs says whether a row is an organisation's or setting's: itself, its contacts, rotas, calendar and access, and who is on
// its roll.
func belongs(row *directoryv1.Row, organisation string) bool {
	switch r := row.GetRow().(type) {
	case *directoryv1.Row_Organisation:
		return r.Organisation.GetId() == organisation
	case *directoryv1.Row_Setting:
		return r.Setting.GetId() == organisation
	case *directoryv1.Row_Contact:
		return r.Contact.GetOrganisation() == organisation
	case *directoryv1.Row_Calendar:
		return r.Calendar.GetId() == organisation
	case *directoryv1.Row_Rota:
		return r.Rota.GetOrganisation() == organisation
	case *directoryv1.Row_Agency:
		return r.Agency.GetOrganisation() == organisation
	case *directoryv1.Row_Subscription:
		return r.Subscription.GetOrganisation() == organisation
	case *directoryv1.Row_Restriction:
		return r.Restriction.GetTarget() == organisation
	case *directoryv1.Row_NetworkMember:
		return r.NetworkMember.GetOrganisation() == organisation
	case *directoryv1.Row_Child:
		return slices.ContainsFunc(r.Child.GetEnrolments(), func(e *directoryv1.Enrolment) bool {
			return e.GetSetting() == organisation
		})
	default:
		return false
	}
}

// AddAgency gives an organisation access.
func (s *directoryService) AddAgency(ctx context.Context, req *directoryv1.AddAgencyRequest) (*directoryv1.AddAgencyResponse, error) {
	return s.Access.AddAgency(ctx, req.GetAgency())
}

// RemoveAgency ends an agency's access.
func (s *directoryService) RemoveAgency(ctx context.Context, req *directoryv1.RemoveAgencyRequest) (*directoryv1.RemoveAgencyResponse, error) {
	return s.Access.RemoveAgency(ctx, req.GetId())
}

// ListAgencies lists who has access.
func (s *directoryService) ListAgencies(context.Context, *directoryv1.ListAgenciesRequest) (*directoryv1.ListAgenciesResponse, error) {
	snapshot, _ := s.Current()
	return &directoryv1.ListAgenciesResponse{Agencies: snapshot.Agencies()}, nil
}
