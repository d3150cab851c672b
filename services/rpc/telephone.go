package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/telephone"
)

type telephoneService struct {
	telephonev1.UnimplementedTelephoneServiceServer
	Deps
	key notice.Key
}

// Import takes the calls of a file in. Nothing is taken in where a row is at fault. Should the service fail half-way, the
// same file again takes in what is left.
func (s *telephoneService) Import(ctx context.Context, req *telephonev1.ImportRequest) (*telephonev1.ImportResponse, error) {
	snapshot, _ := s.Current()
	calls, err := telephone.Read(req.GetFile(), snapshot, s.key, s.Clock.Now())
	if err != nil {
		return nil, err
	}
	response := &telephonev1.ImportResponse{}
	for _, c := range calls {
		response.Calls = append(response.Calls, &telephonev1.Call{
			Line: c.Line, Statement: c.Statement(), Entry: &ledgerv1.ToldByTelephone{
				Id: c.ID, Lineage: c.Lineage, Agency: string(c.Agency), Kind: string(c.Kind), Organisation: string(c.Organisation),
				Child: string(c.Child), ToldMs: c.ToldAt.UnixMilli(), By: callerOf(ctx).by(),
			},
		})
	}
	if err := s.Engine.View(ctx, func(state *ledger.State) { foretell(state, response.Calls) }); err != nil || req.GetDryRun() {
		return response, err
	}
	for _, c := range response.Calls {
		if c.Known {
			continue
		}
		if c.Entry.Statement, err = s.Vault.Keep(ctx, c.Statement); err != nil {
			return nil, err
		}
		if err := s.Engine.ToldByTelephone(ctx, c.Entry); err != nil {
			return nil, err
		}
	}
	return response, s.Engine.View(ctx, func(state *ledger.State) {
		for _, c := range response.Calls {
			if taken := state.Calls[c.Entry.Id]; taken != nil {
				comesTo(state, c, taken)
			}
		}
	})
}

// foretell says what calls would end, and what they would wait for. Two calls of one file may tell of the same notice.
func foretell(state *ledger.State, calls []*telephonev1.Call) {
	ends := map[string]bool{}
	for _, c := range calls {
		if taken := state.Calls[c.Entry.Id]; taken != nil {
			c.Known = true
			comesTo(state, c, taken)
			continue
		}
		for _, n := range state.EndedByCall(c.Entry) {
			if !ends[n.Id] {
				ends[n.Id] = true
				c.Ended = append(c.Ended, n.Id)
			}
		}
		c.WaitsFor = state.CallWaits(c.Entry)
	}
}

// comesTo says what a call that was taken in has ended, and what it waits for.
func comesTo(state *ledger.State, c *telephonev1.Call, taken *ledger.Call) {
	c.Entry, c.ImportedMs, c.Ended = proto.CloneOf(taken.ToldByTelephone), taken.AtMS, append([]string(nil), taken.Ended...)
	c.WaitsFor = ""
	if len(taken.Ended) == 0 {
		c.WaitsFor = state.CallWaits(taken.ToldByTelephone)
	}
}

// List says of each call what it ended, or what it waits for.
func (s *telephoneService) List(ctx context.Context, req *telephonev1.ListRequest) (*telephonev1.ListResponse, error) {
	response := &telephonev1.ListResponse{}
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		for _, taken := range state.CallsByImport() {
			c := &telephonev1.Call{Known: true}
			if comesTo(state, c, taken); req.GetAll() || c.WaitsFor != "" {
				response.Calls = append(response.Calls, c)
			}
		}
	}); err != nil {
		return nil, err
	}
	for _, c := range response.Calls {
		text, err := s.Vault.Get(ctx, c.Entry.GetStatement())
		if err != nil && notice.KindOf(err) != notice.NotFound {
			return nil, err
		}
		c.Statement = text
	}
	return response, nil
}
