package web

import (
	"testing"
	"time"
)

func TestTheCodesKeptAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC)
	c := NewCodes()
	c.most = 2
	for _, step := range []struct {
		key  string
		at   time.Duration
		want bool
	}{
		{key: "a", want: true}, {key: "b", at: time.Minute, want: true}, {key: "c", at: 2 * time.Minute}, {key: "a", at: 3 * time.Minute, want: true},
		{key: "c", at: 62 * time.Minute, want: true}, // b is forgotten by then, a is not
		{key: "b", at: 62 * time.Minute},
	} {
		_, got, err := c.Issue(step.key, now.Add(step.at))
		if err != nil || got != step.want {
			t.Errorf("%s after %v: %v, %v; want %v", step.key, step.at, got, err, step.want)
		}
	}
}
