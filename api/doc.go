// Package api is the root of Signalbox's generated contracts: the Go code that
// protoc-gen-go and protoc-gen-go-grpc write from proto/, laid out as the protos
// are (proto/signalbox/event/v1 becomes api/signalbox/event/v1).
//
// Nothing below this folder is edited by hand. Change the proto, run
// "go generate ./api", and commit both: .ci/run generates again and fails on a
// difference. Every package of Signalbox may import the generated packages; they
// import none of ours.
package api

//go:generate go -C .. tool -modfile=tools/buf.mod buf generate
