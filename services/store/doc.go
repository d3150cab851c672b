// Package store is all of Signalbox that touches JetStream: accounts, the embedded server, the connection to an
// external one, streams, the ledger's log, the agencies' events, the directory's generations and feedback.
//
// It moves bytes. What a pack, an event or a directory row means is for the packages above it.
//
// Invariants:
//   - each agency has an account of its own and no JetStream; streams live in ROUTER, which no agency can reach
//     but through signalbox.events.<agency>.> and signalbox.feedback.<agency>, both restricted to the account that
//     bears the agency's name.
//     A reply subject an agency names is therefore a subject of its own account, never one of ours;
//   - each agency has a stream of its own, so that neither its message ids nor its volume touch another's;
//   - nothing that one agency sends or asks holds up another: a full quarantine takes the room of whoever filled it, and
//     requests for feedback wait in a line for each agency;
//   - what Log.Append, Events.Publish, Quarantine and Generation.Commit returned without an error is on disk
//     (SyncAlways; with replicas, on a majority);
//   - the ledger's expected sequence is the fence: of two writers one appends, the other gets a Conflict. An
//     unclear outcome is settled by reading the log back and comparing bytes, so packs of different writers must
//     differ in their bytes (theirs do: each carries its leader's epoch);
//   - a directory snapshot is exactly what HEAD names: nothing of an import shows before its commit;
//   - nothing personal is in a subject or a stream's name, since those outlive a secure delete.
//
// Directory rows are packed, up to 256 to a message, under g<generation>.<kind>.<chunk>. A durable publish costs an
// fsync: BenchmarkDirectoryImport writes 100,000 rows of 100 bytes in 0.2 s as chunks and in 15 s as a message each,
// pipelined (two cores, plain disk, SyncAlways); they load in 0.12 s. One contact edit is a chunk of one row. Row ids
// live inside the chunk, so they may be any bytes.
//
// It may import notice and the NATS libraries, and no other Signalbox package (its tests use identity).
package store
