package app_test

// diskFaults are those of the disk that the service keeps everything on.
func diskFaults() []fault { return nil }
