package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// overrun is how long the machine may be behind with what it has to do before that counts as nobody doing it.
const overrun = 5 * time.Minute

// Verify folds the ledger from its first pack and reports what does not hold: the chain of hashes, facts that cannot
// follow one another, and what is past due with neither an end nor somebody who owns it.
func (s *ledgerService) Verify(ctx context.Context, _ *ledgerv1.VerifyRequest) (*ledgerv1.VerifyResponse, error) {
	state := ledger.NewState()
	packs, _, err := engine.Fold(ctx, s.Log, state)
	if err != nil && notice.KindOf(err) != notice.Internal {
		return nil, err // the ledger could not be read, which says nothing about it
	}
	response := &ledgerv1.VerifyResponse{Packs: int64(packs), Facts: state.Facts}
	if err != nil {
		response.Faults = append(response.Faults, broken(err))
		return response, nil // what comes after cannot be judged
	}
	response.Faults = abandoned(state, s.Clock.Now().UnixMilli())
	return response, nil
}

func broken(err error) string {
	var fault *notice.Error
	if errors.As(err, &fault) {
		return text(fault) + "; nothing after it was checked"
	}
	return "the ledger cannot be folded"
}

// abandoned lists what is past due with neither an end nor an owner, and what is on a task that is no longer open.
func abandoned(state *ledger.State, nowMS int64) []string {
	var faults []string
	for id, n := range state.Notices {
		if n.Phase.Ended() {
			continue
		}
		task := state.Tasks[n.Task]
		switch {
		case n.Phase == ledger.WithTask && (task == nil || task.Ended()):
			faults = append(faults, fmt.Sprintf("notice %s waits for a person, and has no open task", id))
		case n.Phase == ledger.WithTask || n.DueMs > nowMS:
		case n.WakeMS == 0:
			faults = append(faults, fmt.Sprintf("notice %s is past due (%s) and nothing is to happen to it", id, n.Phase))
		case n.WakeMS+overrun.Milliseconds() < nowMS:
			faults = append(faults, fmt.Sprintf("notice %s is past due (%s) and its next step has not been taken", id, n.Phase))
		}
	}
	for id, t := range state.Tasks {
		if !t.Ended() && t.Organisation == "" {
			faults = append(faults, fmt.Sprintf("task %s has no owner: add the organisation to the directory, and resolve the task", id))
		}
	}
	slices.Sort(faults)
	return faults
}
