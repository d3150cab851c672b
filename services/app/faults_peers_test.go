package app_test

// peerFaults are those of whoever takes the notices, and of the load.
func peerFaults() []fault { return nil }
