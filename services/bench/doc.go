// Package bench measures what Signalbox costs on the machine it runs on: `signalbox bench`.
//
// It boots a whole service through services/app, with the embedded NATS (SyncAlways), TLS, validation and the default
// policy, and in the same process everybody around it: an agency that publishes, a receiver of pushes and a mail relay,
// on loopback and on the same cores. Each stage has a service and a data folder of its own. A figure is taken only where
// every notice was delivered: a run that lost one is an error and no figure.
//
// A notice is settled once the fact that it was delivered is durable. What the disk and NATS allow without Signalbox, the
// floor, is measured in the same run, and each figure is also given as a ratio to it: figures of two machines, or of two
// hours of a busy one, compare by their ratios.
//
// It is an edge like demo: nothing imports it but the command line.
package bench
