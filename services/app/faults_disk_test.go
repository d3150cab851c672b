package app_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// diskFaults are those of the disk that the service keeps everything on.
func diskFaults() []fault {
	return []fault{
		{
			name: "the disk is full and then freed, what was acknowledged goes out and the rest is refused",
			left: ", for it mounts a small file system and must be root or have sudo", fullOnly: true, run: diskFull,
		},
	}
}

// roomy is the size of a disk that the service has room enough on: it reserves that for its streams.
const roomy = 512 << 20

// disk is a file system of its own, whose size can be changed.
type disk struct {
	t   *testing.T
	dir string
}

// newDisk mounts a disk over a folder until the test ends.
func newDisk(t *testing.T, dir string) *disk {
	t.Helper()
	d := &disk{t: t, dir: dir}
	check(t, os.MkdirAll(dir, 0o700))
	d.asRoot("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=0700,uid=%d,gid=%d", roomy, os.Getuid(), os.Getgid()), "signalbox-test", dir)
	t.Cleanup(func() { d.asRoot("umount", dir) })
	return d
}

func (d *disk) asRoot(command ...string) {
	d.t.Helper()
	if os.Geteuid() != 0 {
		command = append([]string{"sudo", "-n"}, command...)
	}
	if said, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %v: run this as root, or where sudo asks for no password: %s", command, err, bytes.TrimSpace(said))
	}
}

func (d *disk) resize(bytes int64) {
	d.t.Helper()
	d.asRoot("mount", "-o", fmt.Sprintf("remount,size=%d", bytes), d.dir)
}

func (d *disk) used() int64 {
	d.t.Helper()
	var s syscall.Statfs_t
	check(d.t, syscall.Statfs(d.dir, &s))
	return int64(s.Blocks-s.Bfree) * s.Bsize
}

// diskFull fills the disk under the service's streams, and frees it again.
func diskFull(t *testing.T, a *account) {
	world := apptest.World(t, time.Now())
	d := newDisk(t, filepath.Join(world.Data, "nats"))
	service := childOver(world, nil, "")
	a.mailbox(world.Mail)
	council := world.AddAgency("ashmere-social-care", "ashmere-council")
	number := 0
	publish := func() error {
		number++
		return a.publish(council, decision(council, fmt.Sprintf("ref-%05d", number)))
	}
	for range 20 {
		check(t, publish())
	}
	d.resize(d.used() + 128<<10)
	for publish() == nil {
		if number > 2000 {
			t.Fatal("the disk does not fill")
		}
	}
	// What the disk refused to write, NATS takes nothing after: the service ends, and whoever runs it starts it again.
	code, took := service.ended()
	if code != 1 {
		t.Errorf("the service ended with status %d, want 1", code)
	}
	taken := a.distinct()
	// Started again it goes on once there is room.
	service.start()
	d.resize(roomy)
	world.Reattach()
	a.note("%d taken until it was full; the service ended %v later", taken, took.Round(time.Millisecond))
	for range 10 {
		number++
		check(t, a.publishUntilTaken(council, decision(council, fmt.Sprintf("ref-%05d", number))))
	}
	world.AwaitSummary(a.quiet)
	service.stop()
	a.balance(t, leftBehind(t, world.Data), time.Now())
}
