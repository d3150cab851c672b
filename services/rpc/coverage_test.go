package rpc_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

func TestCoverageOfAnArea(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.put(ctx, t, directory.OrganisationRow(&directoryv1.Organisation{Id: "quay-trust", Kind: "voluntary", Area: "E09000901"}))
	client := directoryv1.NewDirectoryServiceClient(r.operator(t))
	read := func(area string) ([]string, error) {
		stream := must(client.Coverage(ctx, &directoryv1.CoverageRequest{Area: area}))(t)
		var lines []string
		for {
			l, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return lines, nil
			}
			if err != nil {
				return nil, rpc.Fault(err)
			}
			lines = append(lines, fmt.Sprintf("%s %s %d of %d, without %v", l.GetAreaName(), l.GetKind(), l.GetCovered(), l.GetTotal(), l.GetWithout()))
		}
	}
	got := must(read("E09000901"))(t)
	if all := strings.Join(got, "\n"); !strings.Contains(all, "Ashmere voluntary 0 of 1, without [quay-trust]") || !strings.Contains(all, "Ashmere school 1 of") {
		t.Errorf("coverage of Ashmere:\n%s", all)
	}
	if _, err := read("E09000999"); notice.KindOf(err) != notice.Invalid || err == nil {
		t.Errorf("an area nobody knows: %v", err)
	}
}

func TestAFileOfPostcodesIsReadAsItComes(t *testing.T) {
	r := newRig(t)
	var b strings.Builder
	b.WriteString("pcds,doterm,lad25cd,pfa23cd,icb23cd\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "ZZ%d %d%c%c,,E09000901,E23000901,E54000901\n", i/6760+1, i%10, 'A'+rune(i/10%26), 'A'+rune(i/260%26))
	}
	header := &directoryv1.ImportHeader{Format: "onspd", Name: "ONSPD.csv"}
	done := must(r.load(t, header, b.String()))(t)
	if done.GetRead() != 20_000 || done.GetResult().GetAdded() != 3 {
		t.Errorf("%v", done)
	}
	now, _ := r.Current()
	if lies, ok := now.Postcode("ZZ1 0AA"); !ok || lies.Authority != "E09000901" {
		t.Errorf("it lies in %v, %t", lies, ok)
	}
	if again := must(r.load(t, header, b.String()))(t).GetResult(); again.GetUnchanged() != 3 || len(again.GetChanges()) != 0 {
		t.Errorf("again: %v", again)
	}
	if _, err := r.load(t, header, b.String()[:b.Len()-12]); notice.KindOf(err) != notice.Invalid || err == nil {
		t.Errorf("a file that was cut short: %v", err)
	}
}

func TestWhoIsInvolvedWithASealedChildIsShownToNobody(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.put(ctx, t,
		directory.NetworkRow(&directoryv1.NetworkMember{Id: "list/1", Child: "child-1", Function: "gp", Organisation: "ashmere-council"}),
		directory.NetworkRow(&directoryv1.NetworkMember{Id: "list/2", Child: "child-2", Function: "gp", Organisation: "ashmere-council"}))
	if diff := cmp.Diff([]string{"network_member list/1", "network_member list/2"}, must(r.show(t, &directoryv1.ShowRequest{Kind: "network_member"}))(t)); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	r.put(ctx, t, restriction("child-1", "sealed_identity"))
	for _, req := range []*directoryv1.ShowRequest{{Kind: "network_member"}, {Kind: "network_member", Organisation: "ashmere-council"}} {
		if diff := cmp.Diff([]string{"network_member list/2"}, must(r.show(t, req))(t)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", req, diff)
		}
	}
	if _, err := r.show(t, &directoryv1.ShowRequest{Kind: "network_member", Id: "list/1"}); notice.KindOf(err) != notice.NotFound || err == nil {
		t.Errorf("by id: %v", err)
	}
	for _, key := range must(r.show(t, &directoryv1.ShowRequest{Organisation: "ashmere-council"}))(t) {
		if strings.HasPrefix(key, "network_member") {
			t.Errorf("shown without being asked for: %s", key)
		}
	}
}
