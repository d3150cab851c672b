// Package archive owns the form of a backup: what is in it, in which order, and how it is sealed.
//
// An archive is a tar file, sealed with a passphrase in the age format (age-encryption.org/v1), so that it can be opened
// without Signalbox. It holds files (the authority, keys), streams in the parts that they were read in, and last of all a
// manifest with the hash of each. Invariants:
//
//   - a manifest names everything that counts, and comes last: an archive without its end is none;
//   - what is read was held against the manifest's hashes before anything is made of it (Check), and again while it is
//     (Extract);
//   - age authenticates every chunk, so an archive that was cut or altered is refused, whoever did it.
//
// It knows nothing of what streams and files mean. It may import notice, and no other Signalbox package.
package archive
