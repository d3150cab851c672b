package alarm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, time.November, 24, 9, 30, 0, 0, time.UTC)

var settings = Settings{
	Undispatched: map[string]time.Duration{"urgent": time.Minute, "routine": 30 * time.Minute},
	Undecided:    2 * time.Minute, NotTaken: 2 * time.Minute, Leaderless: 15 * time.Second, Unanswered: 15 * time.Second,
	Silence: 96 * time.Hour, Silences: map[string]time.Duration{"quiet": -1, "keen": time.Hour}, Refused: 20,
	Heartbeat: 3 * time.Minute, Room: 1 << 30,
}

func oldest(id string, age time.Duration, count int64) Oldest {
	return Oldest{Aged: Aged{id, age}, Count: count}
}

// Each alarm is raised just past its limit and not before.
func TestEachAlarmHasItsLimit(t *testing.T) {
	const tick = time.Second
	for name, c := range map[string]struct {
		below, above Observations
		want         string
	}{
		"notices of a lane": {
			Observations{Lanes: []Lane{{"urgent", oldest("n1", time.Minute, 3)}, {"routine", oldest("n2", 29*time.Minute, 900)}}},
			Observations{Lanes: []Lane{{"urgent", oldest("n1", time.Minute+tick, 3)}, {"routine", oldest("n2", 29*time.Minute, 900)}}},
			"oldest-undispatched 61s 3 [n1] 3 notices in the lane urgent not sent, the oldest for 61 s",
		},
		"a lineage": {
			Observations{Undecided: oldest("l1", 2*time.Minute, 1)},
			Observations{Undecided: oldest("l1", 3*time.Minute, 4)},
			"engine-stuck 180s 4 [l1] 4 waiting for a decision, the oldest for 3 min",
		},
		"an engine": {
			Observations{Unanswered: 15 * time.Second},
			Observations{Unanswered: 16 * time.Second},
			"engine-stuck 16s 1 [] the engine of this instance has not answered for 16 s",
		},
		"events": {
			Observations{Publishers: []Publisher{{Agency: "a", Behind: 9, NotRead: 2 * time.Minute}, {Agency: "b", NotRead: time.Hour}}},
			Observations{Publishers: []Publisher{{Agency: "a", Behind: 9, NotRead: 5 * time.Minute}, {Agency: "b", NotRead: time.Hour}}},
			"events-not-taken 300s 1 [a] 9 published and not taken in, the oldest for 5 min",
		},
		"a leader": {
			Observations{Leaderless: 15 * time.Second}, Observations{Leaderless: 20 * time.Second},
			"no-leader 20s 1 [] no sign of a leader for 20 s",
		},
		"a clock": {
			Observations{Clock: Clock{For: time.Hour}}, Observations{Clock: Clock{Wrong: "it is wrong", For: time.Minute}},
			"clock-implausible 60s 1 [] it is wrong",
		},
		"publishers": {
			Observations{Publishers: []Publisher{{Agency: "a", Silent: 96 * time.Hour}, {Agency: "quiet", Silent: 999 * time.Hour}, {Agency: "keen", Silent: time.Hour}}},
			Observations{Publishers: []Publisher{{Agency: "a", Silent: 97 * time.Hour}, {Agency: "quiet", Silent: 999 * time.Hour}, {Agency: "keen", Silent: 2 * time.Hour}}},
			"silent-publisher 349200s 2 [a keen] 2 silent, the longest for 4 days",
		},
		"refused events": {
			Observations{Refused: []Refused{{"a", 20}, {"b", 0}}}, Observations{Refused: []Refused{{"a", 21}, {"b", 0}}},
			"quarantine-growing 3600s 1 [a] 21 events refused within the hour",
		},
		"the store": {
			Observations{Store: Store{Known: true, Room: 3 << 30, Reserve: 2 << 30}},
			Observations{Store: Store{Known: true, Room: 1 << 30, Reserve: 2 << 30, Refusing: true, RefusedBy: time.Minute}},
			"store-headroom 60s 1 [] 1.0 GiB left, below the reserve of 2.0 GiB: new events are refused",
		},
		"the store, before it is full": {
			Observations{Store: Store{Room: 1, Reserve: 2 << 30}}, // what is not known is no alarm
			Observations{Store: Store{Known: true, Room: 2560 << 20, Reserve: 2 << 30}},
			"store-headroom 0s 1 [] 2.5 GiB left: below 2.0 GiB new events are refused",
		},
		"a store that does not say": {
			Observations{Store: Store{Unclear: 15 * time.Second}}, Observations{Store: Store{Unclear: 30 * time.Second}},
			"store-headroom 30s 1 [] the store has not said for 30 s how much room it has",
		},
		"one agency's events": {
			Observations{Publishers: []Publisher{{Agency: "a"}}}, Observations{Publishers: []Publisher{{Agency: "a", Full: true}}},
			"store-headroom 0s 1 [a] no room is left in their own streams: raise nats.events_bytes",
		},
		"stops": {
			Observations{HeldBack: 3}, Observations{Stops: []Aged{{"all", time.Hour}, {"channel email", time.Minute}}, HeldBack: 1},
			"sending-stopped 3600s 2 [all channel email] 2 in force, 1 notice held back",
		},
		"contacts": {
			Observations{}, Observations{Failing: []Aged{{"source/1", 50 * time.Hour}}},
			"contact-failing 180000s 1 [source/1] 1 failing, the longest for 2 days",
		},
		"tasks": {
			Observations{}, Observations{Stranded: []Aged{{"t1", time.Minute}, {"t2", 3 * time.Hour}}},
			"task-overdue 10800s 2 [t1 t2] 2 overdue, the longest for 3 h",
		},
		"a heartbeat": {
			Observations{Heartbeat: Heartbeat{NotTaken: time.Hour}},
			Observations{Heartbeat: Heartbeat{Configured: true, NotTaken: 4 * time.Minute, Reason: "status 503"}},
			"heartbeat-failing 240s 1 [] not taken for 4 min: status 503",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if raised := Evaluate(c.below, settings, now); len(raised) > 0 {
				t.Errorf("raised below the limit: %v", raised)
			}
			var got []string
			for _, a := range Evaluate(c.above, settings, now) {
				got = append(got, fmt.Sprintf("%s %vs %d %v %s", a.Code, now.Sub(a.Since).Seconds(), a.Count, a.Subjects, a.Text))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTheWorstComesFirstAndWithholdsTheHeartbeat(t *testing.T) {
	warnings := Observations{
		Failing: []Aged{{"c", time.Hour}}, Stops: []Aged{{"all", time.Hour}},
		Store: Store{Known: true, Room: 2560 << 20, Reserve: 2 << 30},
	}
	raised := Evaluate(warnings, settings, now)
	var order []string
	for _, a := range raised {
		order = append(order, string(a.Code)+" "+a.Severity.String())
	}
	if diff := cmp.Diff([]string{"sending-stopped critical", "store-headroom warning", "contact-failing warning"}, order); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !Well(raised) {
		t.Error("a stop that a person made withholds the heartbeat")
	}
	warnings.Undecided = oldest("l", time.Hour, 1)
	if Well(Evaluate(warnings, settings, now)) {
		t.Error("a stuck engine is well")
	}
}

func TestALongListIsCut(t *testing.T) {
	var tasks []Aged
	for i := range 100 {
		tasks = append(tasks, Aged{fmt.Sprint("t", i), time.Minute})
	}
	a := Evaluate(Observations{Stranded: tasks}, settings, now)[0]
	if a.Count != 100 || len(a.Subjects) != maxSubjects {
		t.Errorf("%d of %d listed", len(a.Subjects), a.Count)
	}
}

func TestEveryKindIsWhole(t *testing.T) {
	seen := map[Code]bool{}
	for _, k := range Kinds() {
		if k.Code == "" || k.Meaning == "" || k.Severity.String() == "invalid" || seen[k.Code] {
			t.Errorf("%+v", k)
		}
		seen[k.Code] = true
	}
	if Severity(0).String() != "invalid" {
		t.Error("no severity is a severity")
	}
}
