// Package proto_test holds the vendored validate.proto to the Go module that
// gives its rules their meaning.
package proto_test

import (
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
)

const vendored = "buf/validate/validate.proto"

// Our protos are compiled against the vendored file, and the generated code runs
// against the linked one: if they differ, a rule could mean one thing to buf and
// another to the program.
func TestTheVendoredValidateProtoEqualsTheLinkedDescriptor(t *testing.T) {
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{"."}}),
	}
	files, err := compiler.Compile(t.Context(), vendored)
	if err != nil {
		t.Fatalf("compile %s: %v", vendored, err)
	}

	got := descriptor(t, files[0])
	want := descriptor(t, validate.File_buf_validate_validate_proto)
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("%s differs from the linked module; print it again as CONTRIBUTING.md says (-linked +vendored):\n%s", vendored, diff)
	}
}

// descriptor gives a file as a message in a form in which equal files are equal:
// the compiler holds custom options as dynamic messages, the linked file as Go
// structs, so both go through bytes and the registry.
func descriptor(t *testing.T, file protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	t.Helper()
	raw, err := proto.Marshal(protodesc.ToFileDescriptorProto(file))
	if err != nil {
		t.Fatalf("marshal the descriptor of %s: %v", file.Path(), err)
	}
	fd := new(descriptorpb.FileDescriptorProto)
	if err := proto.Unmarshal(raw, fd); err != nil {
		t.Fatalf("unmarshal the descriptor of %s: %v", file.Path(), err)
	}
	return fd
}
