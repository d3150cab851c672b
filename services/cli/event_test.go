package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAFileOfEventsIsReadInEveryForm(t *testing.T) {
	one := `{"id":"a","source":"np","type":"encompass.incident","subject":"S"}`
	two := `{"id":"b","source":"np","type":"encompass.incident","subject":"S"}`
	cloud := `{"specversion":"1.0","id":"c","source":"np","type":"encompass.incident","subject":"S","data":{}}`
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"one event", one, []string{"input a"}},
		{"an array", "[" + one + "," + two + "]", []string{"input[0] a", "input[1] b"}},
		{"one after the other", one + "\n" + two + " " + cloud, []string{"input[0] a", "input[1] b", "input[2] c"}},
		{"a CloudEvent", cloud, []string{"input c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			events, err := readEvents(strings.NewReader(tc.text), "-")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range events {
				if e.fault != nil {
					t.Errorf("%s: %v", e.label(), e.fault)
				}
				if e.event.GetSubject() != "S" {
					t.Errorf("%s: lost its subject", e.label())
				}
				got = append(got, e.label())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFileThatIsNoJSONIsRefusedWithItsPlace(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", " \n", "input holds no event"},
		{"cut short", "{\"id\":\n \"a\"", "input is not well-formed JSON at line 2, column 5"},
		{"a stray comma", "{\n \"id\": \"a\",\n}", "input is not well-formed JSON at line 3, column 1"},
		{"an empty array", "[]", "input holds no event"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readEvents(strings.NewReader(tc.text), "-")
			if notice.KindOf(err) != notice.Invalid || !strings.HasPrefix(faultText(err), tc.want) {
				t.Errorf("error %q, want %q", faultText(err), tc.want)
			}
		})
	}
}

func TestEveryFieldThatCannotBeReadIsNamed(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"misspelt fields", `{"id":"a","source":"np","type":"x.y","colour":1,"children":[{"birthday":"x"}]}`, []string{"children[0].birthday", "colour"}},
		{"an id that is no text", `{"id":7,"source":"np","type":"x.y"}`, []string{"id"}},
		{"a time without an offset", `{"id":"a","source":"np","type":"x.y","time":"2026-11-03T21:15:00"}`, []string{"time"}},
		{"no object", `7`, []string{"data"}},
		{"text that is not UTF-8", "{\"id\":\"a\",\"subject\":\"\xff\"}", []string{"event"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			events, err := readEvents(strings.NewReader(tc.text), "-")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range notice.FieldsOf(events[0].fault) {
				got = append(got, f.Field)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("fields at fault (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzReadEvents(f *testing.F) {
	samples, err := filepath.Glob(filepath.Join("..", "intake", "testdata", "events", "*.json"))
	if err != nil || len(samples) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, path := range samples {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(`[{"specversion":"1.0","data":{}}, 7, null, []]`)
	f.Add("{\"id\":\"\xff\"")
	f.Fuzz(func(t *testing.T, text string) {
		events, err := readEvents(strings.NewReader(text), "-")
		if err == nil && len(events) == 0 {
			t.Fatal("neither an event nor an error")
		}
		for _, e := range events {
			if e.fault == nil && e.event == nil {
				t.Fatal("an event is neither read nor at fault")
			}
			if e.fault != nil && len(notice.FieldsOf(e.fault)) == 0 {
				t.Fatalf("a fault names no field: %v", e.fault)
			}
		}
	})
}

func FuzzReadAck(f *testing.F) {
	for _, s := range []string{`{"stream":"EVENTS","seq":7}`, `{"error":{"description":"full"}}`, `{}`, ``, `{"stream":"EVENTS","seq":0}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sequence, err := readAck(data)
		if (err == nil) != (sequence > 0) {
			t.Fatalf("sequence %d with error %v: only a sequence is an acknowledgement", sequence, err)
		}
	})
}
