// Package app puts the parts together: configuration, keys and certificates, the embedded NATS server or the external
// one, the store, the engine, the listeners, and their lifecycle.
//
// It holds no rule of the domain. Everything that one part needs of another and neither may know is adapted here:
// events of the store for the engine, the engine for the notice page, mail for the engine's sender.
package app
