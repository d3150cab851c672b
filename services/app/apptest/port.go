package apptest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// FreePort is a port of loopback that nobody has, for something that goes down and comes back under it. It is below those
// that the system hands out: otherwise another's connection could have it meanwhile.
func FreePort(t testing.TB) int {
	t.Helper()
	const from, to = 20_000, 32_000
	for range 100 {
		port := from + rand.IntN(to-from)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
