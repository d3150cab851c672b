package ledger

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// FuzzFold folds whatever bytes the log may hold: each fact is taken or is impossible, and every question can be asked.
func FuzzFold(f *testing.F) {
	for _, b := range []*book{everyPhase(f)} {
		stored, err := proto.Marshal(&ledgerv1.Pack{Facts: b.facts})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stored)
	}
	for _, fact := range []*ledgerv1.Fact{
		{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: &ledgerv1.EventAccepted{}}},
		{Fact: &ledgerv1.Fact_EventRefused{EventRefused: &ledgerv1.EventRefused{}}},
		{Fact: &ledgerv1.Fact_EventRepeated{EventRepeated: &ledgerv1.EventRepeated{}}},
		{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: &ledgerv1.Task{}}},
	} {
		stored, err := proto.Marshal(&ledgerv1.Pack{Facts: []*ledgerv1.Fact{fact}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stored)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		var pack ledgerv1.Pack
		if proto.Unmarshal(stored, &pack) != nil {
			return
		}
		s := NewState()
		for _, fact := range pack.Facts {
			if err := s.Fold(fact); err != nil && !errors.Is(err, ErrImpossible) {
				t.Fatal(err)
			}
		}
		s.Plan(ms(0))
		s.Faults(ms(0))
		s.Overdue(ms(0))
		s.Summarise()
	})
}
