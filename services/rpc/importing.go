package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/directory/importer"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/store"
)

// formatPolicy is the one format that is no table: the policy to be in force.
const formatPolicy = "policy"

type importStream = grpc.BidiStreamingServer[directoryv1.ImportRequest, directoryv1.ImportResponse]

// Import reads one file and puts what it changes in force, all at once, or reports it only.
func (s *directoryService) Import(stream importStream) error {
	header, err := receiveHeader(stream)
	if err != nil {
		return err
	}
	in := importing{directoryService: s, header: header, stream: stream}
	if header.GetFormat() == importer.ONSPD {
		err = in.receivePostcodes()
	} else {
		in.file, err = s.receive(stream)
	}
	if err != nil {
		return err
	}
	select {
	case s.importing <- struct{}{}:
		defer func() { <-s.importing }()
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
	plan, generation, err := in.apply(stream.Context())
	if notice.KindOf(err) == notice.Conflict && err != nil {
		// Somebody else's change came between: the file is held against the directory as it now is, once.
		plan, generation, err = in.apply(stream.Context())
	}
	if err != nil {
		return err
	}
	return stream.Send(&directoryv1.ImportResponse{Read: plan.Read, Result: &directoryv1.ImportResult{
		Added: plan.Added, Changed: plan.Changed, Removed: plan.Removed, Unchanged: plan.Unchanged,
		Readdressed: plan.Readdressed, Faults: plan.Faults, Generation: generation, Changes: plan.Changes,
	}})
}

const importOp = "rpc.Import"

func receiveHeader(stream importStream) (*directoryv1.ImportHeader, error) {
	first, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if first.GetHeader() == nil {
		return nil, notice.InvalidFields(importOp, []notice.FieldFault{{Field: "header", Message: "is missing: send it first, then the file in chunks"}})
	}
	return first.GetHeader(), nil
}

// receive reads the whole file, since a file is judged as a whole.
func (s *directoryService) receive(stream importStream) ([]byte, error) {
	var file bytes.Buffer
	_, err := io.Copy(&file, &incoming{stream: stream, left: int64(s.maxImport), limit: int64(s.maxImport)})
	return file.Bytes(), err
}

// maxPostcodes bounds a file of postcodes, in bytes: it is read as it comes and never kept, and the country's is over a
// gigabyte.
const maxPostcodes = 8 << 30

// receivePostcodes reads a file of postcodes as it comes. What is kept of it is small.
func (in *importing) receivePostcodes() error {
	file := &incoming{stream: in.stream, left: maxPostcodes, limit: maxPostcodes}
	var failed error
	read, err := importer.ReadPostcodes(in.header.GetName(), file, func(rows int64) {
		if failed == nil {
			failed = in.stream.Send(&directoryv1.ImportResponse{Read: rows})
		}
	})
	switch {
	case file.failed != nil: // rather than what the reader made of a file that ended too early
		return file.failed
	case err != nil:
		return err
	}
	in.postcodes = read
	return failed
}

// incoming is the file of an import as a reader.
type incoming struct {
	stream importStream
	rest   []byte
	left   int64 // bytes that may still come
	limit  int64
	failed error // what ended the stream, but for its end
}

// Read hands over what came, and waits for more.
func (c *incoming) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.failed != nil {
			return 0, c.failed
		}
		next, err := c.stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return 0, io.EOF
		case err != nil:
			c.failed = err
		case next.GetHeader() != nil:
			c.failed = notice.InvalidFields(importOp, []notice.FieldFault{{Field: "header", Message: "came twice: import one file in each call"}})
		case int64(len(next.GetChunk())) > c.left:
			c.failed = notice.InvalidFields(importOp, []notice.FieldFault{{
				Field: "chunk", Message: fmt.Sprintf("the file is larger than %d MiB: check that it is the right one, or raise the limit", c.limit>>20),
			}})
		default:
			c.rest = next.GetChunk()
			c.left -= int64(len(c.rest))
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// importing is one import under way.
type importing struct {
	*directoryService
	header    *directoryv1.ImportHeader
	file      []byte
	postcodes *importer.Postcodes // in place of the file, where that is one of postcodes
	stream    importStream
}

// apply plans the import against the directory as it is now and, unless it is a dry run, puts it in force. A Conflict
// means that the directory changed meanwhile, and nothing was done.
func (in importing) apply(ctx context.Context) (*importer.Result, uint64, error) {
	// A generation begins before the directory is read: whatever is committed after that makes its commit a Conflict.
	generation, err := in.Directory.Begin(ctx)
	if err != nil {
		return nil, 0, err
	}
	kept, err := in.Directory.Load(ctx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := rowsFrom(kept)
	if err != nil {
		return nil, 0, err
	}
	snapshot, err := directory.Build(kept.Head, rows)
	if err != nil {
		return nil, 0, err
	}
	plan, err := in.plan(snapshot)
	if err != nil {
		return nil, 0, err
	}
	if len(plan.Puts) == 0 && len(plan.Deletes) == 0 {
		return plan, kept.Head, nil
	}
	// A directory that cannot be built again would stop every instance: such a plan is never committed.
	if _, err := directory.Build(kept.Head, after(rows, plan)); err != nil {
		return nil, 0, err
	}
	if in.header.GetDryRun() {
		return plan, kept.Head, nil
	}
	head, err := commit(ctx, generation, plan)
	if err != nil {
		return nil, 0, err
	}
	return plan, head, in.Access.Changed(ctx)
}

func (in importing) plan(snapshot *directory.Snapshot) (*importer.Result, error) {
	if in.header.GetFormat() == formatPolicy {
		return planPolicy(in.file, snapshot)
	}
	_, current := in.Current()
	request := importer.Request{
		Format: in.header.GetFormat(), Name: in.header.GetName(), Source: in.header.GetSource(), Force: in.header.GetForce(),
		Owner: in.header.GetOwner(), Role: in.header.GetRole(), Now: in.Clock.Now(), Key: in.key, Told: current.TellsSubscribers, Listed: current.List().GrantedOn,
	}
	if in.postcodes != nil {
		return in.postcodes.Plan(request, snapshot)
	}
	var failed error
	plan, err := importer.Plan(request, bytes.NewReader(in.file), snapshot, func(read int64) {
		if failed == nil {
			failed = in.stream.Send(&directoryv1.ImportResponse{Read: read})
		}
	})
	if err != nil {
		return nil, err
	}
	return plan, failed // a caller who has gone would not hear of the result
}

// planPolicy has a policy take the place of the one in force, which is kept.
func planPolicy(text []byte, snapshot *directory.Snapshot) (*importer.Result, error) {
	loaded, err := policy.Load(text)
	if err != nil {
		return nil, err
	}
	plan := &importer.Result{Read: 1}
	former, ok := snapshot.Policy()
	if ok && former.GetDigest() == loaded.Digest() {
		plan.Unchanged = 1
		return plan, nil
	}
	if ok {
		retired := proto.CloneOf(former)
		retired.InForce = false
		plan.Puts = append(plan.Puts, directory.PolicyRow(retired))
		plan.Changed++
		plan.Changes = append(plan.Changes, "keep policy "+former.GetDigest()+", no longer in force")
	}
	if _, kept := snapshot.Row(directory.KindPolicy, loaded.Digest()); kept {
		plan.Changed++
	} else {
		plan.Added++
	}
	plan.Puts = append(plan.Puts, directory.PolicyRow(&directoryv1.PolicyDocument{
		Digest: loaded.Digest(), Text: string(text), InForce: true,
	}))
	plan.Changes = append(plan.Changes, "put policy "+loaded.Digest()+" in force")
	return plan, nil
}

func rowsFrom(kept store.Snapshot) ([]*directoryv1.Row, error) {
	rows := make([]*directoryv1.Row, len(kept.Rows))
	for i, r := range kept.Rows {
		rows[i] = &directoryv1.Row{}
		if err := proto.Unmarshal(r.Value, rows[i]); err != nil {
			return nil, notice.Faultf(notice.Internal, "rpc.Import", "a row of kind %s cannot be read", r.Kind)
		}
	}
	return rows, nil
}

// after are the rows as a plan would leave them.
func after(rows []*directoryv1.Row, plan *importer.Result) []*directoryv1.Row {
	gone := map[importer.RowKey]bool{}
	for _, row := range plan.Puts {
		kind, id := directory.KeyOf(row)
		gone[importer.RowKey{Kind: kind, ID: id}] = true
	}
	for _, key := range plan.Deletes {
		gone[key] = true
	}
	left := make([]*directoryv1.Row, 0, len(rows)+len(plan.Puts))
	for _, row := range rows {
		kind, id := directory.KeyOf(row)
		if !gone[importer.RowKey{Kind: kind, ID: id}] {
			left = append(left, row)
		}
	}
	return append(left, plan.Puts...)
}

// commit makes a plan visible at once.
func commit(ctx context.Context, generation *store.Generation, plan *importer.Result) (uint64, error) {
	for _, row := range plan.Puts {
		kind, id := directory.KeyOf(row)
		value, err := proto.Marshal(row)
		if err != nil {
			return 0, notice.Faultf(notice.Internal, "rpc.Import", "a row of kind %s cannot be written", kind)
		}
		if err := generation.Put(ctx, kind, id, value); err != nil {
			return 0, err
		}
	}
	for _, key := range plan.Deletes {
		if err := generation.Delete(ctx, key.Kind, key.ID); err != nil {
			return 0, err
		}
	}
	return generation.Commit(ctx)
}
