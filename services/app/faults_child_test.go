package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Of the environment of this test binary where it is to run as a service instead of testing.
const (
	// childConfig names the configuration.
	childConfig = "SIGNALBOX_TEST_SERVE"
	// childClock is an instant at which the service's clock stands; each line of its input moves it on to another.
	childClock = "SIGNALBOX_TEST_CLOCK"
	// childEnd is when the process kills itself: "before decided", "after led".
	childEnd = "SIGNALBOX_TEST_END"
)

// serveAsChild runs the real service until it is told to stop, or killed.
func serveAsChild(config string) error {
	c, err := app.LoadConfig(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	clk, err := clockOfChild()
	if err != nil {
		return err
	}
	moment, kind, _ := strings.Cut(os.Getenv(childEnd), " ")
	service, err := app.NewWriting(ctx, c, clk, zap.NewNop(), func(log engine.Log) engine.Log { return ending{log, moment, kind} })
	if err != nil {
		return err
	}
	return service.Run(ctx)
}

func clockOfChild() (clock.Clock, error) {
	text := os.Getenv(childClock)
	if text == "" {
		return clock.System{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, err
	}
	moved := clock.NewMovable(at)
	go func() { // ends with the process
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			if to, err := time.Parse(time.RFC3339Nano, lines.Text()); err == nil {
				moved.Set(to)
			}
		}
	}()
	return moved, nil
}

// ending kills its process just before or just after a pack with a fact of one kind is appended.
type ending struct {
	engine.Log
	moment, kind string
}

func (e ending) Append(ctx context.Context, expectLast uint64, pack []byte) (uint64, error) {
	holds := e.kind != "" && hasKind(pack, e.kind)
	if holds && e.moment == "before" {
		killThisProcess()
	}
	sequence, err := e.Log.Append(ctx, expectLast, pack)
	if err == nil && holds && e.moment == "after" {
		killThisProcess()
	}
	return sequence, err
}

func hasKind(stored []byte, kind string) bool {
	var pack ledgerv1.Pack
	if err := proto.Unmarshal(stored, &pack); err != nil {
		return false
	}
	for _, f := range pack.Facts {
		if kindOf(f) == kind {
			return true
		}
	}
	return false
}

func killThisProcess() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until it takes effect
}

// child is the service in a process of its own.
type child struct {
	t       *testing.T
	config  string
	clocked *clock.Movable // the service's clock, moved by hand; nil is the machine's
	command *exec.Cmd
	moves   io.WriteCloser // where the process hears of it
}

// start starts the process. Each of env is "NAME=value".
func (c *child) start(env ...string) {
	c.t.Helper()
	c.command = exec.Command(os.Args[0])
	c.command.Env = append(append(os.Environ(), childConfig+"="+c.config), env...)
	if c.clocked != nil {
		c.command.Env = append(c.command.Env, childClock+"="+c.clocked.Now().Format(time.RFC3339Nano))
	}
	c.command.Stderr = os.Stderr
	var err error
	if c.moves, err = c.command.StdinPipe(); err != nil {
		c.t.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		c.t.Fatal(err)
	}
}

// advance moves the service's clock on.
func (c *child) advance(by time.Duration) {
	c.clocked.Advance(by)
	_, _ = fmt.Fprintln(c.moves, c.clocked.Now().Format(time.RFC3339Nano)) // one that is dead hears of it at its start
}

// kill kills the process: nothing is flushed, nothing is said.
func (c *child) kill() {
	_ = c.command.Process.Kill()
	_ = c.command.Wait()
}

// stop has the process stop in order, and says how long that took.
func (c *child) stop() time.Duration {
	c.t.Helper()
	began := time.Now()
	if err := c.command.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Fatal(err)
	}
	if err := c.command.Wait(); err != nil {
		c.t.Errorf("told to stop, the service ended with: %v", err)
	}
	return time.Since(began)
}

// ended waits until the process has ended of itself, and says with what status and how long that took.
func (c *child) ended() (status int, took time.Duration) {
	c.t.Helper()
	began := time.Now()
	limit := time.AfterFunc(time.Minute, func() { _ = c.command.Process.Kill() })
	defer limit.Stop()
	_ = c.command.Wait()
	return c.command.ProcessState.ExitCode(), time.Since(began)
}

// killedItself waits until the process has killed itself, as it was told to at its start.
func (c *child) killedItself() error {
	err := c.command.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return nil
		}
	}
	return fmt.Errorf("the service was to kill itself, and ended with: %w", err)
}

func freePort(t *testing.T) int {
	t.Helper()
	return apptest.FreePort(t)
}

// decision is an event with one notice, at whatever hour: to who referred, who need not acknowledge it.
func decision(a *apptest.Agency, id string) *eventv1.Event {
	ev := referral(a, id)
	ev.Type = string(notice.ReferralDecided)
	ev.Payload = &eventv1.Event_ReferralDecided{ReferralDecided: &eventv1.ReferralDecided{
		ReceivedAt: ev.Time, DecidedAt: ev.Time, Decision: eventv1.ReferralDecision_REFERRAL_DECISION_ASSESSMENT, NextStep: "A social worker visits.",
	}}
	return ev
}

// referral is an event whose referrer is told at once that it arrived; the authority's duty team too, out of hours.
func referral(a *apptest.Agency, id string) *eventv1.Event {
	ev := envelope(a, id, notice.ReferralReceived, id, time.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	ev.People = []*eventv1.Person{{
		Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Professional: true, Organisation: organisation("ashmere-health-visiting"),
	}}
	ev.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: timestamppb.Now()}}
	return ev
}
