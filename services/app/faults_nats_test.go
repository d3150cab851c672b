package app_test

// natsFaults are those of NATS, embedded or external, and of the network between it and the service.
func natsFaults() []fault { return nil }
