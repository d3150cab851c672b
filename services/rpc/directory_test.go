package rpc_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

const organisations = "id,name,kind,area,status,postcode,remove\n" +
	"ashmere-council,Ashmere Council,local_authority,E09000901,,,\n" +
	"ashmere-refuge,Ashmere Refuge,voluntary,E09000901,,,\n" +
	"Bad Id,Somebody,voluntary,E09000901,,,\n"

// load imports a file in small chunks and gives the last response.
func (r *rig) load(t *testing.T, header *directoryv1.ImportHeader, file string) (*directoryv1.ImportResponse, error) {
	t.Helper()
	stream := must(directoryv1.NewDirectoryServiceClient(r.operator(t)).Import(testContext(t)))(t)
	check(t, stream.Send(&directoryv1.ImportRequest{Part: &directoryv1.ImportRequest_Header{Header: header}}))
	for chunk := range slices.Chunk([]byte(file), 4096) {
		if err := stream.Send(&directoryv1.ImportRequest{Part: &directoryv1.ImportRequest_Chunk{Chunk: chunk}}); err != nil {
			break // the answer says why
		}
	}
	_ = stream.CloseSend() // likewise
	var last *directoryv1.ImportResponse
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return nil, rpc.Fault(err)
		}
		last = response
	}
}

func TestAnImportIsInForceWhenItReturns(t *testing.T) {
	r := newRig(t)
	before, _ := r.Current()
	header := &directoryv1.ImportHeader{Format: "organisations", Name: "organisations.csv", DryRun: true}
	dry := must(r.load(t, header, organisations))(t)
	if now, _ := r.Current(); now.Generation() != before.Generation() || dry.GetResult().GetGeneration() != before.Generation() {
		t.Errorf("a dry run changed the directory: %v", dry)
	}
	header.DryRun = false
	done := must(r.load(t, header, organisations))(t)
	result := done.GetResult()
	if done.GetRead() != 3 || result.GetAdded() != 1 || result.GetUnchanged() != 1 || len(result.GetFaults()) != 1 || result.GetFaults()[0].GetLine() != 4 {
		t.Errorf("result %v", done)
	}
	if diff := cmp.Diff(dry.GetResult().GetChanges(), result.GetChanges()); diff != "" {
		t.Errorf("changes (-dry run +import):\n%s", diff)
	}
	now, _ := r.Current()
	if _, ok := now.Organisation("ashmere-refuge"); !ok || now.Generation() != result.GetGeneration() {
		t.Errorf("generation %d in force, %d imported, row there: %v", now.Generation(), result.GetGeneration(), ok)
	}
	again := must(r.load(t, header, organisations))(t).GetResult()
	if again.GetUnchanged() != 2 || len(again.GetChanges()) != 0 || again.GetGeneration() != result.GetGeneration() {
		t.Errorf("again: %v", again)
	}
}

// racing is a directory in which somebody else commits a change after each of the first loads.
type racing struct {
	rpc.Directory
	rows  []*directoryv1.Row // one for each load
	apply func(*directoryv1.Row)
}

func (d *racing) Load(ctx context.Context) (store.Snapshot, error) {
	snapshot, err := d.Directory.Load(ctx)
	if len(d.rows) > 0 {
		d.apply(d.rows[0])
		d.rows = d.rows[1:]
	}
	return snapshot, err
}

func TestAnImportThatMeetsAnotherChangeBeginsAgainOnce(t *testing.T) {
	header := &directoryv1.ImportHeader{Format: "organisations"}
	meanwhile := []*directoryv1.Row{
		directory.OrganisationRow(&directoryv1.Organisation{Id: "ashmere-refuge", Name: "Ashmere Refuge", Kind: "voluntary", Area: "E09000901"}),
		directory.OrganisationRow(&directoryv1.Organisation{Id: "another", Name: "Another", Kind: "voluntary"}),
	}
	race := func(rows ...*directoryv1.Row) *rig {
		return newRig(t, func(r *rig) {
			r.deps.Directory = &racing{Directory: r.deps.Directory, rows: rows, apply: func(row *directoryv1.Row) { r.put(testContext(t), t, row) }}
		})
	}
	r := race(meanwhile[1])
	result := must(r.load(t, header, organisations))(t).GetResult()
	now, _ := r.Current()
	if _, ok := now.Organisation("another"); !ok || result.GetAdded() != 1 {
		t.Errorf("one change between: %v, and the other change is there: %v", result, ok)
	}
	if same := must(race(meanwhile[0]).load(t, header, organisations+"ashmere-home,Home,voluntary,,,,\n"))(t).GetResult(); same.GetAdded() != 1 || same.GetUnchanged() != 2 {
		t.Errorf("held against the directory of before: %v", same)
	}
	if _, err := race(meanwhile...).load(t, header, organisations+"ashmere-home,Home,voluntary,,,,\n"); notice.KindOf(err) != notice.Conflict || err == nil {
		t.Errorf("a change between each time: %v", err)
	}
}

func TestAPolicyTakesThePlaceOfTheOneInForceWhichIsKept(t *testing.T) {
	r := newRig(t)
	header := &directoryv1.ImportHeader{Format: "policy", Name: "policy.yaml"}
	first := string(policy.Default())
	second := first + "\n# confirmed by the data protection officer\n"
	for i, text := range []string{first, second, second, first} {
		result := must(r.load(t, header, text))(t).GetResult()
		snapshot, current := r.Current()
		if document, ok := snapshot.Policy(); !ok || document.GetDigest() != policy.Digest([]byte(text)) || current.Digest() != document.GetDigest() {
			t.Errorf("import %d: in force %v", i, document.GetDigest())
		}
		if kept := len(snapshot.Rows(directory.KindPolicy)); kept != min(i+1, 2) {
			t.Errorf("import %d: %d documents kept", i, kept)
		}
		if unchanged := i == 2; unchanged != (result.GetUnchanged() == 1) || unchanged != (len(result.GetChanges()) == 0) {
			t.Errorf("import %d: %v", i, result)
		}
	}
	_, err := r.load(t, header, "version: [\n")
	if fields := notice.FieldsOf(err); notice.KindOf(err) != notice.Invalid || err == nil || len(fields) == 0 {
		t.Errorf("a bad policy: %v", err)
	}
	if snapshot, _ := r.Current(); len(snapshot.Rows(directory.KindPolicy)) != 2 {
		t.Error("a bad policy is kept")
	}
}

func TestAnImportThatCannotBeReadIsRefusedWhole(t *testing.T) {
	r := newRig(t)
	for _, tc := range []struct {
		name   string
		header *directoryv1.ImportHeader
		file   string
		want   string
	}{
		{"an unknown format", &directoryv1.ImportHeader{Format: "rolls"}, "a,b\n", "no such format"},
		{"no format", &directoryv1.ImportHeader{}, "", "format"},
		{"other columns", &directoryv1.ImportHeader{Format: "organisations", Name: "organisations.csv"}, "a,b\n1,2\n", "organisations.csv"},
		{"larger than a file may be", &directoryv1.ImportHeader{Format: "organisations"}, strings.Repeat("x", 2<<20), "chunk"},
	} {
		if _, err := r.load(t, tc.header, tc.file); notice.KindOf(err) != notice.Invalid || err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	client := directoryv1.NewDirectoryServiceClient(r.operator(t))
	for name, parts := range map[string][]*directoryv1.ImportRequest{
		"nothing":            nil,
		"a chunk first":      {{Part: &directoryv1.ImportRequest_Chunk{Chunk: []byte("a")}}},
		"a second header":    {{Part: &directoryv1.ImportRequest_Header{Header: &directoryv1.ImportHeader{Format: "areas"}}}, {Part: &directoryv1.ImportRequest_Header{Header: &directoryv1.ImportHeader{Format: "areas"}}}},
		"neither of the two": {{}},
	} {
		stream := must(client.Import(testContext(t)))(t)
		for _, part := range parts {
			check(t, stream.Send(part))
		}
		check(t, stream.CloseSend())
		if _, err := stream.Recv(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// show gives the keys of the rows shown.
func (r *rig) show(t *testing.T, req *directoryv1.ShowRequest) ([]string, error) {
	t.Helper()
	stream := must(directoryv1.NewDirectoryServiceClient(r.operator(t)).Show(testContext(t), req))(t)
	var keys []string
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, rpc.Fault(err)
		}
		kind, id := directory.KeyOf(response.GetRow())
		keys = append(keys, kind+" "+id)
	}
}

func TestShowShowsChildrenByNameOfTheirKindOnly(t *testing.T) {
	r := newRig(t)
	for _, tc := range []struct {
		name string
		req  *directoryv1.ShowRequest
		want []string
	}{
		{"by kind", &directoryv1.ShowRequest{Kind: "area"}, []string{"area E09000901", "area E23000901"}},
		{"by kind and id", &directoryv1.ShowRequest{Kind: "area", Id: "E23000901"}, []string{"area E23000901"}},
		{"by id", &directoryv1.ShowRequest{Id: "ashmere-council"}, []string{"organisation ashmere-council", "agency ashmere-council"}},
		{"by setting", &directoryv1.ShowRequest{Organisation: "gias:900101"},
			[]string{"setting gias:900101", "contact lanternfield-dsl", "calendar gias:900101", "agency lanternfield-school"}},
		{"children of a setting", &directoryv1.ShowRequest{Kind: "child", Organisation: "gias:900101"}, []string{"child child-1"}},
		{"a kind without rows", &directoryv1.ShowRequest{Kind: "policy"}, nil},
	} {
		got, err := r.show(t, tc.req)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tc.name, err, diff)
		}
	}
	all, err := r.show(t, &directoryv1.ShowRequest{})
	if len(all) != len(sampleRows())-1 || err != nil || slices.ContainsFunc(all, func(key string) bool { return strings.HasPrefix(key, "child ") }) {
		t.Errorf("everything: %v, %v", all, err)
	}
	for _, req := range []*directoryv1.ShowRequest{{Id: "child-1"}, {Kind: "area", Id: "E09000999"}} {
		if _, err := r.show(t, req); notice.KindOf(err) != notice.NotFound || err == nil {
			t.Errorf("%v: %v", req, err)
		}
	}
	if _, err := r.show(t, &directoryv1.ShowRequest{Kind: "children"}); notice.KindOf(err) != notice.Invalid || err == nil {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestAgenciesAreAddedAndListed(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	client := directoryv1.NewDirectoryServiceClient(r.operator(t))
	added := must(client.AddAgency(ctx, &directoryv1.AddAgencyRequest{Agency: &directoryv1.Agency{Id: "ashmere-refuge", Organisation: "ashmere-council"}}))(t)
	if string(added.GetCertificate()) != "certificate of ashmere-refuge" {
		t.Errorf("added %v", added)
	}
	if _, err := client.AddAgency(ctx, &directoryv1.AddAgencyRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no agency: %v", err)
	}
	var ids []string
	for _, a := range must(client.ListAgencies(ctx, &directoryv1.ListAgenciesRequest{}))(t).GetAgencies() {
		ids = append(ids, a.GetId())
	}
	if diff := cmp.Diff([]string{string(council), string(police), string(school)}, ids); diff != "" {
		t.Errorf("agencies (-want +got):\n%s", diff)
	}
}
