//go:build !linux && !darwin

package store

// diskFree is not known here: the server's own limit stands alone.
func diskFree(string) (bytes int64, known bool) { return 0, false }
