package apptest

// Await asks again and again of what happens beside the service's own state: a file, another process.
func (r *Rig) Await(what string, holds func() bool) {
	r.T.Helper()
	r.await(what, holds)
}
