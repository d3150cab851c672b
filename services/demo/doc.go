// Package demo is an invented borough and its neighbours, and a rehearsal of the main job over them: the real service
// with everything embedded, agencies that publish, and recipients who read their mail and answer on the page.
//
// It owns the sample files (borough/, in the formats of docs/formats.md, and events/), the scenes and how they are told.
//
// Invariants:
//   - every person, place, address and number in it is invented;
//   - nobody in it goes past the service's doors: agencies use NATS and gRPC, recipients SMTP and HTTPS, operators gRPC,
//     each with credentials of their own;
//   - the clock is moved only while the service says that it is idle.
//
// It may import every package; app/apptest, which uses its borough, and cli import it.
package demo
