package ledger

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const (
	all = ledgerv1.Scope_SCOPE_ALL
	of  = ledgerv1.Scope_SCOPE_ORGANISATION
)

func stopped(p Stop) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Stopped{Stopped: &ledgerv1.Stopped{Scope: p.Scope, Target: p.Target, By: "op"}}}
}

func resumed(p Stop) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Resumed{Resumed: &ledgerv1.Resumed{Scope: p.Scope, Target: p.Target, By: "op"}}}
}

func heldBack(id string, p Stop) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_HeldBack{HeldBack: &ledgerv1.HeldBack{Notice: id, Scope: p.Scope, Target: p.Target}}}
}

// stopsAll is a book with a notice that is ready, and nothing may be sent.
func stopsAll(t *testing.T) *book {
	t.Helper()
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, decided(decision("l", 1, obligation("n", ""))))
	b.must(1, stopped(Stop{Scope: all}))
	return b
}

func TestAStopCoversWhatItNames(t *testing.T) {
	n := &Notice{Notice: obligation("n", "")}
	n.Kind = "encompass.incident"
	for name, c := range map[string]struct {
		stop                  Stop
		link                  uint32
		channel, organisation string
		want                  bool
	}{
		"everything":                                 {stop: Stop{Scope: all}, want: true},
		"its recipient":                              {stop: Stop{of, "school"}, want: true},
		"its recipient, at any link":                 {stop: Stop{of, "school"}, link: 1, want: true},
		"the organisation of the present link":       {stop: Stop{of, "council"}, link: 1, want: true},
		"the organisation of a later link":           {stop: Stop{of, "council"}},
		"the organisation of the contact":            {stop: Stop{of, "health"}, organisation: "health", want: true},
		"its kind":                                   {stop: Stop{ledgerv1.Scope_SCOPE_KIND, "encompass.incident"}, want: true},
		"another kind":                               {stop: Stop{ledgerv1.Scope_SCOPE_KIND, "referral.received"}},
		"the channel":                                {stop: Stop{ledgerv1.Scope_SCOPE_CHANNEL, "email"}, channel: "email", want: true},
		"another channel":                            {stop: Stop{ledgerv1.Scope_SCOPE_CHANNEL, "email"}, channel: "grpc"},
		"a channel, where none is known yet":         {stop: Stop{ledgerv1.Scope_SCOPE_CHANNEL, "email"}},
		"past the end of its chain, still everybody": {stop: Stop{Scope: all}, link: 2, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.must(0, stopped(c.stop))
			n.Link = c.link
			got, covered := b.state.StopOf(n, c.channel, c.organisation)
			if covered != c.want || covered && got != c.stop {
				t.Errorf("covered %v by %v, want %v", covered, got, c.want)
			}
		})
	}
}

func TestWhatIsHeldBackComesToAPersonAtItsDueTimeAndGoesOutWhenSendingIsResumed(t *testing.T) {
	hold := func(b *book) { b.must(2, heldBack("n", Stop{Scope: all})) }
	overrun := func(b *book) {
		b.must(60, escalated("n", 2))
		b.must(60, opened(telephone("t", "n")))
	}
	for name, c := range map[string]struct {
		then []func(*book)
		want Phase
		link uint32
	}{
		"held back": {[]func(*book){hold}, Stopped, 0},
		"resumed":   {[]func(*book){hold, func(b *book) { b.must(59, resumed(Stop{Scope: all})) }}, Ready, 0},
		"resumed while another stop stands": {[]func(*book){hold, func(b *book) {
			b.must(8, stopped(Stop{of, "school"}))
			b.must(9, resumed(Stop{of, "school"}))
		}}, Stopped, 0},
		"due":                       {[]func(*book){hold, overrun}, WithTask, 2},
		"due, and resumed after it": {[]func(*book){hold, overrun, func(b *book) { b.must(70, resumed(Stop{Scope: all})) }}, Ready, 0},
		"due, taken up by somebody, and resumed after it": {[]func(*book){hold, overrun, func(b *book) {
			b.must(65, claimed("t"))
			b.must(70, resumed(Stop{Scope: all}))
		}}, WithTask, 2},
		"due, told by telephone, and resumed after it": {[]func(*book){hold, overrun, func(b *book) {
			b.must(65, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: ToldByTelephone}))
			b.must(70, resumed(Stop{Scope: all}))
		}}, Acknowledged, 2},
		"acknowledged by telephone": {[]func(*book){hold, func(b *book) {
			b.must(5, acknowledged("n", "op"))
			b.must(70, resumed(Stop{Scope: all}))
		}}, Acknowledged, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := stopsAll(t)
			for _, step := range c.then {
				step(b)
			}
			b.phase("n", c.want)
			n := b.state.Notices["n"]
			if n.Link != c.link {
				t.Errorf("at link %d, want %d", n.Link, c.link)
			}
			if faults := b.state.Faults(ms(70)); len(faults) > 0 {
				t.Errorf("faults: %v", faults)
			}
			if task := b.state.Tasks["t"]; c.want == Ready && task != nil && task.State != TaskSettled {
				t.Errorf("the notice goes out, and its task is %s", task.State)
			}
		})
	}
}

func TestAStoppedNoticeIsListedAsStopped(t *testing.T) {
	b := stopsAll(t)
	b.must(2, heldBack("n", Stop{Scope: all}))
	states := func(at int64) (states []string) {
		for _, o := range b.state.Overdue(ms(at)) {
			states = append(states, o.State)
		}
		return states
	}
	if diff := cmp.Diff([]string{"stopped"}, states(60)); diff != "" {
		t.Errorf("before a person has it (-want +got):\n%s", diff)
	}
	b.must(60, escalated("n", 2))
	b.must(60, opened(telephone("t", "n")))
	if diff := cmp.Diff([]string{"stopped, with a person"}, states(60)); diff != "" {
		t.Errorf("with a person (-want +got):\n%s", diff)
	}
	if !b.state.Idle(ms(61)) {
		t.Error("what is stopped and with a person keeps the machine from being idle")
	}
	if sum := b.state.Summarise(); sum.Neither != 0 || sum.WithPerson != 1 {
		t.Errorf("summary: %s", sum)
	}
}

func TestStopsThatCannotFollowAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		book func(*testing.T) *book
		fact *ledgerv1.Fact
	}{
		"a second stop of the same":             {stopsAll, stopped(Stop{Scope: all})},
		"a stop of nothing":                     {stopsAll, stopped(Stop{})},
		"a stop of everything of something":     {stopsAll, stopped(Stop{all, "school"})},
		"a stop of an organisation without one": {stopsAll, stopped(Stop{Scope: of})},
		"resuming what is not stopped":          {stopsAll, resumed(Stop{of, "school"})},
		"holding back an unknown notice":        {stopsAll, heldBack("x", Stop{Scope: all})},
		"holding back for no stop":              {stopsAll, heldBack("n", Stop{of, "school"})},
		"a send while it is stopped":            {stopsAll, started("n", 1, 0, "dsl", 9)},
		"holding back what is being sent": {func(t *testing.T) *book {
			b := sending(t, nil)
			b.must(1, stopped(Stop{Scope: all}))
			return b
		}, heldBack("n", Stop{Scope: all})},
	} {
		t.Run(name, func(t *testing.T) { c.book(t).refuses(2, c.fact) })
	}
}

func TestTheDigestChangesWithEveryFact(t *testing.T) {
	b := newBook(t)
	seen := [][32]byte{b.state.Digest()}
	for i, f := range everyPhase(t).facts {
		b.must((f.AtMs-ms(0))/60_000, f)
		digest := b.state.Digest()
		if slices.Contains(seen, digest) {
			t.Errorf("fact %d changes nothing in the digest", i+1)
		}
		seen = append(seen, digest)
	}
}
