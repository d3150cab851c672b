// Package telephone is what people do by telephone while the system is down: the offline list that tells them whom to
// call, its blank form, and the calls that they write down on it and import afterwards.
//
// Invariants:
//   - a file of calls is read as a whole: either every row is good, or every fault is named and no call is given;
//   - the same row gives the same call, with the same id, at any time and on any instance;
//   - an offline list holds no name, nor anything else, of a child, and says nothing of a child under a restriction: see
//     List;
//   - what a list holds is written only as sealed for those who may open it.
//
// It may import notice, directory and its importer, and no other Signalbox package. It knows no clock and no network: the
// time and the directory are arguments.
package telephone
