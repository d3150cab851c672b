package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/identity"
)

// childReceiver, in the environment of this test binary, has it run as an agency's receiver instead of testing.
const childReceiver = "SIGNALBOX_TEST_RECEIVER"

// receiver is an agency's own program that reads its inbox, in a process of its own. It keeps a journal: what came, and how
// far it had come when a connection ended. It reads from one instance after another and breaks each connection off hard after
// a few items. On every third it dies before it has written the last cursors down, as far as it remembers.
type receiver struct {
	Identity string   // its folder
	At       []string // the instances, host:port
	Most     int      // items of one connection
	Journal  string   // the file; it goes on behind what that holds
}

// receiveAsChild reads until the process is killed.
func receiveAsChild(text string) error {
	var r receiver
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	pair, err := identity.LoadPair(filepath.Join(r.Identity, app.ClientName+".crt"), filepath.Join(r.Identity, app.ClientName+".key"))
	if err != nil {
		return err
	}
	roots, err := identity.LoadRoots(filepath.Join(r.Identity, app.RootsFile))
	if err != nil {
		return err
	}
	config, err := identity.ClientTLS(pair, roots)
	if err != nil {
		return err
	}
	kept, err := readJournal(r.Journal)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(r.Journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	cursor := kept.cursor
	for connection := kept.connections; ; connection++ {
		if cursor, err = r.connect(connection, credentials.NewTLS(config), cursor, file); err != nil {
			<-time.After(20 * time.Millisecond) // a receiver's own pause: no instance, or none that leads
		}
	}
}

// connect reads by one connection and breaks it off. It gives the cursor that it remembers.
func (r receiver) connect(number int, tls credentials.TransportCredentials, cursor string, journal *os.File) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var line net.Conn
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		var err error
		line, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
		return line, err
	}
	conn, err := grpc.NewClient("passthrough:///"+r.At[number%len(r.At)], grpc.WithTransportCredentials(tls), grpc.WithContextDialer(dial))
	if err != nil {
		return cursor, err
	}
	defer func() { _ = conn.Close() }()
	stream, err := inboxv1.NewInboxServiceClient(conn).Subscribe(ctx, &inboxv1.SubscribeRequest{Cursor: cursor})
	if err != nil {
		return cursor, err
	}
	for i := range r.Most {
		item, err := stream.Recv()
		if err != nil {
			return cursor, err
		}
		note := ""
		if i == 0 {
			note = "connected\n"
		}
		subject := ""
		if n := item.GetNotice(); n != nil {
			subject = n.GetEvents()[0].GetSubject()
		}
		if _, err := fmt.Fprintf(journal, "%sitem\t%s\t%s\n", note, item.Id, subject); err != nil {
			return cursor, err
		}
		if number%3 != 0 || i < r.Most/2 {
			cursor = item.Cursor
		}
	}
	if tcp, ok := line.(*net.TCPConn); ok { // a reset, and no goodbye: what was on its way is lost
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	}
	_, err = fmt.Fprintf(journal, "cursor\t%s\n", cursor)
	return cursor, err
}

// journal is what a receiver has written down.
type journal struct {
	order       []string          // ids of notices, as they first came
	subject     map[string]string // by id
	twice       int
	connections int
	cursor      string // the last that was written down: the receiver goes on, and confirms, from there
	unsaved     int    // items behind that
}

func readJournal(file string) (*journal, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1] // a line that is being written
	j := &journal{subject: map[string]string{}}
	for line := range strings.Lines(string(text)) {
		switch word := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); word[0] {
		case "connected":
			j.connections++
		case "cursor":
			j.cursor, j.unsaved = word[1], 0
		case "item":
			j.unsaved++
			_, had := j.subject[word[1]]
			switch {
			case had:
				j.twice++
			case word[2] != "":
				j.order = append(j.order, word[1])
				j.subject[word[1]] = word[2]
			}
		}
	}
	return j, nil
}

// receiving is a receiver's process, as the test sees it.
type receiving struct {
	t       *testing.T
	config  receiver
	command *exec.Cmd
}

func newReceiving(t *testing.T, config receiver, cursor string) *receiving {
	t.Helper()
	config.Journal = filepath.Join(t.TempDir(), "journal")
	must(t, os.WriteFile(config.Journal, []byte("cursor\t"+cursor+"\n"), 0o600))
	r := &receiving{t: t, config: config}
	r.start()
	t.Cleanup(r.kill)
	return r
}

// start starts the process, unless it runs.
func (r *receiving) start() {
	r.t.Helper()
	if r.command != nil && r.command.ProcessState == nil {
		return
	}
	config, err := json.Marshal(r.config)
	must(r.t, err)
	r.command = exec.Command(os.Args[0])
	r.command.Env = append(os.Environ(), childReceiver+"="+string(config))
	r.command.Stderr = os.Stderr
	must(r.t, r.command.Start())
}

// kill kills the process: nothing is confirmed, nothing is said.
func (r *receiving) kill() {
	_ = r.command.Process.Kill()
	_ = r.command.Wait()
}

func (r *receiving) journal() *journal {
	r.t.Helper()
	j, err := readJournal(r.config.Journal)
	must(r.t, err)
	return j
}

// await waits until the journal is as it should be.
func (r *receiving) await(what string, holds func(*journal) bool) *journal {
	r.t.Helper()
	tick, limit := time.NewTicker(5*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for {
		j := r.journal()
		if holds(j) {
			return j
		}
		select {
		case <-tick.C:
		case <-limit:
			r.t.Fatalf("waited in vain for the receiver to have %s: %d items by %d connections", what, len(j.order), j.connections)
		}
	}
}
