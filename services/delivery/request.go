package delivery

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const deletionBasis = "UK GDPR Article 5(1)(f): personal data is kept from those who should not have it."

// composeRequest makes a request to delete. It says which notice by its reference alone: nothing of what that told, of
// whom, or who published it.
func composeRequest(n *ledgerv1.Notice) *noticev1.Notice {
	had := notice.Reference(n.GetDeletes())
	return &noticev1.Notice{
		Id: n.GetId(), Version: n.GetVersion(), Kind: n.GetKind(), Organisation: n.GetOrganisation(), Role: firstRole(n),
		Basis: deletionBasis, Because: fmt.Sprintf("The notice %s should not have been sent to you.", had),
		Due: timestamppb.New(time.UnixMilli(n.GetDueMs())), Acknowledge: n.GetAcknowledge(), Deletes: n.GetDeletes(),
		Do: []string{
			fmt.Sprintf("Delete the notice %s: every email with this reference in its subject, in all folders, and anything that was printed, copied or noted from it.", had),
			"Then confirm on the page, with your name, that it is deleted.",
			"If anybody else saw it or you passed it on, tell the sender of this request by telephone.",
		},
		DoNot: []string{
			"Do not forward it, and do not act on it.",
			"Do not contact anybody about it.",
		},
	}
}

// DeletionScript is what to say on the telephone to somebody who was asked to delete a notice and has not answered. It says
// nothing of what the notice told, nor who sent it.
func DeletionScript(reference string) []string {
	return []string{
		"Call a number that the directory has or the organisation itself publishes, never one that you were just given. Use no speaker, and be where nobody hears you.",
		"Ask for the person named. Until you know who it is say only: \"I am calling on behalf of Signalbox about a message for you.\"",
		"Make sure who it is: their full name and role, or have them call you back through the number of their switchboard.",
		"Then say: \"An official-sensitive notice with the reference " + reference + " should not have been sent to you. Please delete it, with everything copied from it.\" Do not say what it was about.",
		"Say what not to do: do not forward it, do not act on it, do not contact anybody about it.",
		"Leave no message with anybody else or on a machine. Try the next in the list.",
		"Then write down who answered and how you made sure, and resolve the task with told_by_telephone.",
	}
}
