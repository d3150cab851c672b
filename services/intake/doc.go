// Package intake is the entrance for events: it decodes what an agency published, finds every fault in it, and says so
// by field.
//
// It owns the encodings: native protobuf, CloudEvents in binary mode and CloudEvents as structured JSON. It holds no
// connection: NATS and gRPC both come through these functions.
//
// What holds here:
//
//   - Decode is total and deterministic: any bytes give an event or faults, the same ones each time. The stream keeps
//     what was published, so an event is decoded again long after it was taken in.
//   - An unknown field is a fault. A misspelt field that was dropped in silence could be the one that mattered.
//   - A fault names a field, what is wrong and what to do about it. It never holds a value.
//   - A publisher publishes only as itself.
//
// It may import notice, directory and policy, and must not import anything that reaches outside the process.
package intake
