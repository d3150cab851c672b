//go:build linux || darwin

package store

import "golang.org/x/sys/unix"

// diskFree is how many bytes this process may still write on the disk of a folder.
func diskFree(dir string) (bytes int64, known bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
