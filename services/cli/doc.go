// Package cli is the command line: what each command is called, what it asks of a service or does on its own, and the
// words in which it answers.
//
// It owns the grammar, the exit codes, the reading of event files and the rendering of answers. What a command does to
// the world it does through the service's own rooms or over gRPC and NATS, as any other client would.
//
// What holds here:
//
//   - Everything is written to the writers that Run is given; nothing is read but Run's input, the files that a command
//     names and the environment variables in its help.
//   - An error says what to do about it. Faults of fields stand one to a line.
//   - Exit codes are 0 for good, 1 where the world or the service said no, 2 for wrong usage.
//   - Times are shown in UK time with GMT or BST.
//
// It may import every room. No room but cmd/signalbox imports it.
package cli
