package policy_test

import (
	"testing"
	"time"
)

func TestAPolicySaysWhenTheListComesAndOnWhatBasis(t *testing.T) {
	l := with(t, "full_text_domains", listed("first: 2026-01-06", `at: "09:00"`, "view: list", "bases: [duty]")).List()
	if l.GetFirst() != "2026-01-06" || l.GetAt() != "09:00" || l.View.ID() != "list" || !l.GrantedOn("duty") || l.GrantedOn("") || l.GrantedOn("other") {
		t.Errorf("the list is %v, by view %s", l.List, l.View.ID())
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	if since := l.Since(time.Date(2026, time.October, 27, 9, 0, 0, 0, london)).Format("2006-01-02 15:04 MST"); since != "2026-10-13 09:00 BST" {
		t.Errorf("over the change of the clocks it looks back to %s", since)
	}
}

func TestAPolicyWithoutAListGrantsItToNobody(t *testing.T) {
	if l := load(t, base).List(); l != nil || l.GrantedOn("duty") {
		t.Errorf("the list is %v", l)
	}
}
