package rpc_test

import (
	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

func contactRow(id, organisation, role, address string) *directoryv1.Row {
	return directory.ContactRow(&directoryv1.Contact{
		Id: id, Organisation: organisation, Role: role, Name: "Duty desk", Channel: "email", Address: address, Use: "regular",
		VerifiedOn: "2026-09-01",
	})
}

func agencyRow(id, organisation string) *directoryv1.Row {
	return directory.AgencyRow(&directoryv1.Agency{Id: id, Organisation: organisation})
}

func restriction(child, kind string) *directoryv1.Row {
	return directory.RestrictionRow(&directoryv1.Restriction{Id: "r-1", Child: child, Kind: kind, Authoriser: "head of safeguarding"})
}
