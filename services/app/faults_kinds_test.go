package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/store"
)

// endings is a service that dies at one fact after another, and a world that brings those facts about. What it does is
// interrupted at any moment, so each way to a fact begins afresh.
type endings struct {
	t       *testing.T
	account *account
	world   *apptest.Rig
	service *child
	police  *apptest.Agency
	back    string // address of the mail server for what comes back
	events  int
}

// ways are how each kind of fact comes about; nil is that it needs nothing but a start.
func (k *endings) ways() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"led":              nil,
		"event_accepted":   k.publish,
		"event_refused":    k.publishBad,
		"event_repeated":   k.publishTwice,
		"decided":          k.publish,
		"attempt_started":  k.publish,
		"attempt_finished": k.publish,
		"escalated":        k.andNobodyActs(k.publish),
		"late":             k.andNobodyActs(k.publish),
		"task_opened":      k.andNobodyActs(k.publish),
		"task_escalated":   k.andNobodyActs(k.publishUnmatched),
		"code_sent":        k.open,
		"notice_read":      k.open,
		"acknowledged":     k.acknowledge,
		"not_at_setting":   k.notHere,
		"replied":          k.reply,
		"task_claimed":     k.onTask(k.claim),
		"task_read":        k.onTask(k.show),
		"task_resolved":    k.onTask(k.resolve),
		"returned":         k.bounce,
		"stopped":          k.stop,
		"held_back":        k.holdBack,
		"resumed":          k.resume,

		"told_by_telephone": k.telephone,
		"replayed":          k.replay,
		"event_withdrawn":   k.withdraw,

		"subscription_changed": k.subscribe,
		"whereabouts_listed":   k.subscribeToList,
		"manifest_taken":       k.manifest,
		"manifest_compared":    k.andNobodyActs(k.manifest),
	}
}

// notYet are kinds that no way leads to, with the reason.
var notYet = map[string]string{
	"clock_confirmed": "it takes a machine whose clock was set: guardclock_test.go has it, in one process",
}

// usual are the kinds of the short form.
var usual = map[string]bool{"decided": true, "attempt_started": true, "attempt_finished": true}

// endedAtEachKind kills the service just before, and just after, a fact of each kind is appended, and in the middle of a
// send.
func endedAtEachKind(t *testing.T, a *account) {
	world := apptest.World(t, apptest.London("2026-06-18 19:42"))
	back := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	service := childOver(world, world.Clock, fmt.Sprintf("returns: {listen: %q, domain: %s}\n", back, apptest.ReturnsDomain))
	a.mailbox(world.Mail)
	k := &endings{t: t, account: a, world: world, service: service, back: back}
	k.police = world.AddAgency("northbridge-police", "northbridge-police")
	service.kill()

	ways, died := k.ways(), 0
	fields := (&ledgerv1.Fact{}).ProtoReflect().Descriptor().Oneofs().ByName("fact").Fields()
	known := map[string]bool{}
	for i := range fields.Len() {
		kind := string(fields.Get(i).Name())
		known[kind] = true
		way, is := ways[kind]
		switch {
		case !is && notYet[kind] == "":
			t.Errorf("facts of kind %s: say in ways how one comes about, or in notYet why none can", kind)
			continue
		case !is, a.form == short && !usual[kind]:
			continue
		}
		for _, moment := range []string{"before", "after"} {
			k.dieAt(moment+" "+kind, way)
			died++
		}
	}
	for kind := range ways {
		if !known[kind] {
			t.Errorf("%s is no kind of fact any more", kind)
		}
	}
	k.dieInASend()
	a.note("%d killings at a fact, one in a send", died)

	service.start()
	world.Reattach()
	k.goOn(world.Context())
	world.AwaitSummary(func(s *ledgerv1.SummaryResponse) bool {
		service.advance(time.Minute) // past the leases of what was under way, and the waits of what is tried again
		return a.quiet(s)
	})
	service.stop()
	a.balance(t, leftBehind(t, world.Data), world.Clock.Now())
}

// dieAt starts the service, told to end at a fact, and goes the way there until it has.
func (k *endings) dieAt(target string, way func(context.Context) error) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	k.service.start(childEnd + "=" + target)
	ended := make(chan error, 1)
	go func() {
		ended <- k.service.killedItself()
		cancel()
	}()
	var last error
	for way != nil && ctx.Err() == nil {
		if last = k.world.TryReattach(ctx); last != nil {
			break // dead, or nearly
		}
		k.goOn(ctx) // where the last way ended with everything stopped
		last = way(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // it has come about, and what follows from it may take a moment
		}
	}
	select {
	case err := <-ended:
		check(k.t, err)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			_ = k.service.command.Process.Kill()
			k.t.Logf("killed: %v", <-ended)
			k.t.Fatalf("%s: no such fact came about by %v: %v", target, k.world.Clock.Now(), last)
		}
		check(k.t, <-ended)
	}
}

// dieInASend kills the service while it waits for the relay to take a recipient.
func (k *endings) dieInASend() {
	k.t.Helper()
	k.service.start()
	k.world.Reattach()
	k.goOn(k.world.Context())
	asked, release := make(chan struct{}, 1), make(chan struct{})
	k.world.Mail.Refuse(func(string) error {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
		return nil
	})
	check(k.t, k.publish(k.world.Context()))
	select {
	case <-asked:
	case <-time.After(time.Minute):
		k.t.Fatalf("the service began no mail at %v: %v", k.world.Clock.Now(), k.world.Summary())
	}
	k.service.kill()
	k.world.Mail.Refuse(nil)
	close(release)
}

func (k *endings) incident(child *eventv1.Child) *eventv1.Event {
	k.events++
	id := fmt.Sprintf("np-%d", k.events)
	return apptest.Incident(k.police, id, "NP/26/"+id, k.world.Clock.Now(), child)
}

func (k *endings) publish(context.Context) error {
	return k.account.publish(k.police, k.incident(apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
}

// manifest lists what was never published.
func (k *endings) manifest(context.Context) error {
	k.events++
	return k.police.TryPublish(manifest(k.police, fmt.Sprintf("np-manifest-%d", k.events), k.world.Clock.Now(), listed{"NP/26/lost", 1}))
}

func (k *endings) publishUnmatched(context.Context) error {
	return k.account.publish(k.police, k.incident(apptest.Child("c1", "Nobody", "Weknow", "2014-01-01")))
}

func (k *endings) publishTwice(context.Context) error {
	ev := k.incident(apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	return errors.Join(k.account.publish(k.police, ev), k.account.publish(k.police, ev))
}

func (k *endings) publishBad(context.Context) error {
	k.events++
	return k.account.publishRaw(k.police, fmt.Sprintf("bad-%d", k.events), store.EventSubject(k.police.ID, "encompass"), nil, []byte("\xff"))
}

// andNobodyActs lets a day and a half pass after something.
func (k *endings) andNobodyActs(first func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		err := first(ctx)
		for range 72 {
			select {
			case <-ctx.Done():
				return err
			case <-time.After(50 * time.Millisecond): // of the machine's time, for half an hour of the service's
				k.service.advance(30 * time.Minute)
			}
		}
		return err
	}
}

// mailed publishes an event and returns the mail that tells of it.
func (k *endings) mailed(ctx context.Context) (mailbox.Mail, error) {
	before := len(k.world.Mail.To(lead))
	if err := k.publish(ctx); err != nil {
		return mailbox.Mail{}, err
	}
	return k.world.Mail.Await(ctx, lead, before, func(m mailbox.Mail) bool { return !isCode(m) })
}

func (k *endings) bounce(ctx context.Context) error {
	m, err := k.mailed(ctx)
	if err != nil {
		return err
	}
	tls := k.world.Roots.Clone()
	tls.ServerName = "localhost"
	return mailbox.Back{Addr: k.back, TLS: tls}.Bounce(ctx, m, "delayed", "4.2.2")
}

func (k *endings) acknowledge(ctx context.Context) error {
	m, err := k.mailed(ctx)
	if err != nil {
		return err
	}
	post, err := k.visit(ctx, m)
	if err != nil {
		return err
	}
	return post("/acknowledge", url.Values{"who": {"contact"}, "have": {"yes"}})
}

func (k *endings) open(ctx context.Context) error {
	m, err := k.mailed(ctx)
	if err != nil {
		return err
	}
	_, err = k.visit(ctx, m)
	return err
}

var (
	pageLink = regexp.MustCompile(`https://[^\s"<>]+/n/[^\s"<>]+`)
	mailCode = regexp.MustCompile(`\b[0-9]{6}\b`)
)

func isCode(m mailbox.Mail) bool { return strings.Contains(m.Subject, "Signalbox code") }

// visit follows the link of a mail and opens the notice with a code. It returns how to go on.
func (k *endings) visit(ctx context.Context, m mailbox.Mail) (post func(path string, form url.Values) error, err error) {
	return k.visitAs(ctx, lead, m)
}

// visitAs is visit for whoever reads an address.
func (k *endings) visitAs(ctx context.Context, reader string, m mailbox.Mail) (post func(path string, form url.Values) error, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: k.world.Roots.Clone(), DisableKeepAlives: true}}
	link := pageLink.FindString(m.Text)
	post = func(path string, form url.Values) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, link+path, strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		response, err := browser.Do(request)
		if err != nil {
			return err
		}
		return errors.Join(response.Body.Close(), wantOK(response.StatusCode))
	}
	before := len(k.world.Mail.To(reader))
	if err := post("/code", nil); err != nil {
		return nil, err
	}
	code, err := k.world.Mail.Await(ctx, reader, before, isCode)
	if err != nil {
		return nil, err
	}
	return post, post("/open", url.Values{"code": {mailCode.FindString(code.Text)}})
}

func wantOK(status int) error {
	if status != http.StatusOK {
		return fmt.Errorf("the page answers %d", status)
	}
	return nil
}

func (k *endings) notHere(ctx context.Context) error {
	m, err := k.mailed(ctx)
	if err != nil {
		return err
	}
	post, err := k.visit(ctx, m)
	if err != nil {
		return err
	}
	return post("/not-at-setting", url.Values{"checked": {"yes"}})
}

// reply declines an invitation to a meeting, which the police called and are invited to.
func (k *endings) reply(ctx context.Context) error {
	k.events++
	id := fmt.Sprintf("sm-%d", k.events)
	before := len(k.world.Mail.To(hub))
	if err := k.account.publish(k.police, apptest.Meeting(k.police, id, "SM/26/"+id, k.world.Clock.Now(), 48*time.Hour,
		apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"), "northbridge-police")); err != nil {
		return err
	}
	m, err := k.world.Mail.Await(ctx, hub, before, func(m mailbox.Mail) bool { return !isCode(m) })
	if err != nil {
		return err
	}
	post, err := k.visitAs(ctx, hub, m)
	if err != nil {
		return err
	}
	return post("/reply", url.Values{"who": {"contact"}, "comes": {"no"}, "reason": {"no_capacity"}})
}

// hub is the police's own desk.
const hub = "hub@northbridge-police.example"

// onTask opens a task about an unmatched child and does something with it.
func (k *endings) onTask(act func(ctx context.Context, task string) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := k.publishUnmatched(ctx); err != nil {
			return err
		}
		for ctx.Err() == nil {
			list, err := k.world.Tasks.List(ctx, &taskv1.ListRequest{})
			if err != nil {
				return err
			}
			for _, item := range list.Items {
				if item.Task.Kind == ledgerv1.TaskKind_TASK_KIND_UNMATCHED && item.By == "" {
					return act(ctx, item.Task.Id)
				}
			}
			<-time.After(20 * time.Millisecond) // before the list is asked for again
		}
		return ctx.Err()
	}
}

func (k *endings) claim(ctx context.Context, task string) error {
	_, err := k.world.Tasks.Claim(ctx, &taskv1.ClaimRequest{Task: task})
	return err
}

func (k *endings) show(ctx context.Context, task string) error {
	_, err := k.world.Tasks.Show(ctx, &taskv1.ShowRequest{Task: task})
	return err
}

func (k *endings) resolve(ctx context.Context, task string) error {
	_, err := k.world.Tasks.Resolve(ctx, &taskv1.ResolveRequest{Task: task, Resolution: "no_action", Reason: "An invented child."})
	return err
}

func (k *endings) sending() sendingv1.SendingServiceClient {
	return sendingv1.NewSendingServiceClient(k.world.Conn())
}

// telephone takes in a call about an incident whose event is yet to come.
func (k *endings) telephone(ctx context.Context) error {
	k.events++
	row := call(fmt.Sprintf("NP/26/call-%d", k.events), k.world.Clock.Now().Add(-time.Minute).In(directory.London()).Format("2006-01-02 15:04"))
	_, err := k.world.Telephone.Import(ctx, &telephonev1.ImportRequest{File: []byte(form + row)})
	return err
}

// replay says again what a person has acknowledged.
func (k *endings) replay(ctx context.Context) error {
	if err := k.acknowledge(ctx); err != nil {
		return err
	}
	again := &replayv1.Selection{Agency: string(k.police.ID), Event: fmt.Sprintf("np-%d", k.events), Force: true}
	planned, err := k.world.Replay.Plan(ctx, &replayv1.PlanRequest{Selection: again})
	if err != nil {
		return err
	}
	_, err = k.world.Replay.Confirm(ctx, &replayv1.ConfirmRequest{Selection: again, Digest: planned.Plan.Digest, Reason: "invented"})
	return err
}

// withdraw takes back what a person was told.
func (k *endings) withdraw(ctx context.Context) error {
	if _, err := k.mailed(ctx); err != nil {
		return err
	}
	_, err := k.world.Intake.Withdraw(ctx, &intakev1.WithdrawRequest{
		Agency: string(k.police.ID), Event: fmt.Sprintf("np-%d", k.events), Code: "wrong_child", Reason: "invented",
	})
	return err
}

// goOn resumes sending; where nothing is stopped that is refused.
func (k *endings) goOn(ctx context.Context) {
	_, _ = k.sending().Resume(ctx, &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "invented"})
}

func (k *endings) stop(ctx context.Context) error {
	_, err := k.sending().Stop(ctx, &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "invented"})
	return err
}

func (k *endings) holdBack(ctx context.Context) error {
	return errors.Join(k.stop(ctx), k.publish(ctx))
}

func (k *endings) resume(ctx context.Context) error {
	err := k.stop(ctx)
	k.goOn(ctx)
	return err
}

// subscribe grants a subscription by a file: a new one each time.
func (k *endings) subscribe(context.Context) error {
	return k.subscribeTo("no,children_act_2004_s10")
}

// subscribeToList brings at once the list of the last day that has come.
func (k *endings) subscribeToList(context.Context) error {
	return k.subscribeTo("yes,children_missing_meeting")
}

func (k *endings) subscribeTo(listAndBasis string) error {
	id := fmt.Sprintf("s-%d", time.Now().UnixNano())
	_, err := k.world.TryImport(&directoryv1.ImportHeader{Format: "subscriptions", Name: "subscriptions.csv"}, []byte(
		"id,agency,organisation,area,list,basis,authoriser,from,until,review_on\n"+
			id+",ashmere-health,ashmere-health,E09000901,"+listAndBasis+",Director,2026-06-01,2036-06-01,2036-05-01\n"))
	return err
}
