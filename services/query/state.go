package query

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// stateOf is a phase as the contract and the file have it.
func stateOf(p ledger.Phase) ledgerv1.NoticeState {
	switch p {
	case ledger.Held:
		return ledgerv1.NoticeState_NOTICE_STATE_HELD
	case ledger.Ready:
		return ledgerv1.NoticeState_NOTICE_STATE_READY
	case ledger.Sending:
		return ledgerv1.NoticeState_NOTICE_STATE_SENDING
	case ledger.Waiting:
		return ledgerv1.NoticeState_NOTICE_STATE_WAITING
	case ledger.Stopped:
		return ledgerv1.NoticeState_NOTICE_STATE_STOPPED
	case ledger.Awaiting:
		return ledgerv1.NoticeState_NOTICE_STATE_AWAITING
	case ledger.WithTask:
		return ledgerv1.NoticeState_NOTICE_STATE_WITH_PERSON
	case ledger.Acknowledged:
		return ledgerv1.NoticeState_NOTICE_STATE_ACKNOWLEDGED
	case ledger.Delivered:
		return ledgerv1.NoticeState_NOTICE_STATE_DELIVERED
	case ledger.Superseded:
		return ledgerv1.NoticeState_NOTICE_STATE_SUPERSEDED
	case ledger.Closed:
		return ledgerv1.NoticeState_NOTICE_STATE_CLOSED
	case ledger.Withdrawn:
		return ledgerv1.NoticeState_NOTICE_STATE_WITHDRAWN
	default:
		return ledgerv1.NoticeState_NOTICE_STATE_UNSPECIFIED
	}
}

// phaseOf is the way back; 0 is no phase.
func phaseOf(state ledgerv1.NoticeState) ledger.Phase {
	for p := ledger.Held; p.String() != "invalid"; p++ {
		if stateOf(p) == state {
			return p
		}
	}
	return 0
}
