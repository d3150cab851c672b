// Package importer reads the files that fill the directory (docs/formats.md) and plans what each would change. It
// applies nothing: whoever calls Plan puts the plan in force, all or nothing.
//
// Invariants:
//   - a plan is a diff: the plan of a file whose plan is in force changes nothing;
//   - every bad row is named by line and column with its remedy, never by its value, and what the directory held for
//     it stays as it was; the good rows are taken;
//   - a file that cannot be trusted as a whole is refused as a whole (notice.Invalid);
//   - no plan removes, closes, re-addresses or moves more than a tenth of the rows it stands for unless forced
//     (notice.Precondition).
//
// It may import notice, directory and the generated contracts, and no other Signalbox package.
package importer
