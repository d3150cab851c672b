package app_test

// clockFaults are those of clocks.
func clockFaults() []fault { return nil }
