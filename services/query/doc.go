// Package query is the read model: what the ledger says, laid out in an SQLite file for questions. Timelines, searches and
// what is overdue are answered from it, at a cost that does not grow with the ledger.
//
// It owns the file, its schema, and the projection from facts to rows. What always holds:
//
//   - The ledger is the truth. The number and hash of the last pack are stored in the same transaction as its rows, so
//     that rows are always those of a beginning of the ledger. A file that is missing, damaged, of another schema or of
//     another ledger is thrown away and made anew from the first pack.
//   - Nothing that decides, sends or acknowledges reads it. Where it fails, that is logged, tried again and shown in
//     Status; the service goes on.
//   - An answer has everything that was in the ledger when the question came, or there is none (notice.Unavailable).
//   - It holds what facts hold: ids, keyed hashes and codes. It reads nothing but the ledger.
//   - The projection needs the rows and the fact at hand, not the ledger's whole state: memory does not grow with it. A
//     change to what is projected needs a new schema version, so that old files are made anew.
//
// It must not import the engine, the store or an edge.
package query
