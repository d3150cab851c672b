package rpc

import (
	"context"
	"crypto/x509"

	"google.golang.org/grpc/credentials"
	grpcpeer "google.golang.org/grpc/peer"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	backupv1 "github.com/signalbox-hq/signalbox/api/signalbox/backup/v1"
	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// callers are who may call a method.
type callers uint8

const (
	agencies  callers = 1 << iota // an agency that the directory has
	operators                     // any operator
	everyone  = agencies | operators
)

// rules say for each method who may call it. Within a method an agency is held to what is its own; that is for the
// service. To publish and to hear what became of it takes an agency: an operator is none.
func rules() map[string]callers {
	return map[string]callers{
		intakev1.IntakeService_Publish_FullMethodName:       agencies,
		intakev1.IntakeService_PublishStream_FullMethodName: agencies,
		intakev1.IntakeService_Feedback_FullMethodName:      agencies,
		intakev1.IntakeService_Quarantine_FullMethodName:    everyone,
		intakev1.IntakeService_Withdraw_FullMethodName:      everyone,

		inboxv1.InboxService_Subscribe_FullMethodName:   agencies,
		inboxv1.InboxService_Confirm_FullMethodName:     agencies,
		inboxv1.InboxService_Acknowledge_FullMethodName: everyone,

		meetingv1.MeetingService_Reply_FullMethodName:             everyone,
		meetingv1.MeetingService_Show_FullMethodName:              everyone,
		subscriptionv1.SubscriptionService_Request_FullMethodName: agencies,
		subscriptionv1.SubscriptionService_Grant_FullMethodName:   operators,
		subscriptionv1.SubscriptionService_End_FullMethodName:     everyone,
		subscriptionv1.SubscriptionService_List_FullMethodName:    everyone,

		subscriptionv1.SubscriptionService_Whereabouts_FullMethodName: agencies,

		taskv1.TaskService_List_FullMethodName:    everyone,
		taskv1.TaskService_Show_FullMethodName:    everyone,
		taskv1.TaskService_Claim_FullMethodName:   everyone,
		taskv1.TaskService_Resolve_FullMethodName: everyone,

		ledgerv1.LedgerService_Timeline_FullMethodName: operators,
		ledgerv1.LedgerService_Search_FullMethodName:   operators,
		ledgerv1.LedgerService_Overdue_FullMethodName:  operators,
		ledgerv1.LedgerService_Summary_FullMethodName:  operators,
		ledgerv1.LedgerService_Verify_FullMethodName:   operators,
		ledgerv1.LedgerService_Failing_FullMethodName:  operators,

		ledgerv1.LedgerService_Whereabouts_FullMethodName:  operators,
		ledgerv1.LedgerService_Completeness_FullMethodName: operators,

		sendingv1.SendingService_Stop_FullMethodName:   operators,
		sendingv1.SendingService_Resume_FullMethodName: operators,
		sendingv1.SendingService_Show_FullMethodName:   operators,

		replayv1.ReplayService_Plan_FullMethodName:    operators,
		replayv1.ReplayService_Confirm_FullMethodName: operators,

		telephonev1.TelephoneService_Import_FullMethodName: operators,
		telephonev1.TelephoneService_List_FullMethodName:   operators,

		alarmv1.AlarmService_List_FullMethodName:         operators,
		alarmv1.AlarmService_ConfirmClock_FullMethodName: operators,

		backupv1.BackupService_Backup_FullMethodName: operators,

		routingv1.RoutingService_Explain_FullMethodName: operators,

		directoryv1.DirectoryService_Import_FullMethodName:       operators,
		directoryv1.DirectoryService_Show_FullMethodName:         operators,
		directoryv1.DirectoryService_Coverage_FullMethodName:     operators,
		directoryv1.DirectoryService_Duty_FullMethodName:         operators,
		directoryv1.DirectoryService_AddAgency_FullMethodName:    operators,
		directoryv1.DirectoryService_RemoveAgency_FullMethodName: operators,
		directoryv1.DirectoryService_ListAgencies_FullMethodName: operators,

		"/grpc.health.v1.Health/Check": everyone,
		"/grpc.health.v1.Health/Watch": everyone,
		"/grpc.health.v1.Health/List":  everyone,

		"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo":      everyone,
		"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": everyone,
	}
}

// caller is who calls, as the certificate names it and the directory knows it.
type caller struct {
	identity.Peer
	agency *directoryv1.Agency // of an agency; not to be changed
}

// by names the caller in the ledger.
func (c caller) by() string { return c.Kind.String() + ":" + c.Name }

// organisation is what an agency acts for; an operator acts for none.
func (c caller) organisation() string { return c.agency.GetOrganisation() }

// may says whether what belongs to an organisation is the caller's to see and act on.
func (c caller) may(organisation string) bool {
	switch c.Kind {
	case identity.Operator:
		return true
	case identity.Agency:
		return organisation != "" && organisation == c.organisation()
	default:
		return false
	}
}

type callerKey struct{}

// callerOf is who calls. The interceptors let no call through without one.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// certificateOf is the verified certificate of the connection, nil where there is none.
func certificateOf(ctx context.Context) *x509.Certificate {
	if p, ok := grpcpeer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
			return info.State.VerifiedChains[0][0]
		}
	}
	return nil
}

// admit says who calls a method, if they may. An agency that the directory no longer has is turned away, whatever its
// certificate.
func admit(ctx context.Context, method string, rules map[string]callers, snapshot *directory.Snapshot) (caller, error) {
	const op = "rpc.admit"
	certificate := certificateOf(ctx)
	peer, err := identity.PeerFromCert(certificate)
	if err != nil {
		return caller{}, err
	}
	c := caller{Peer: peer}
	denied := func(remedy string) (caller, error) {
		return caller{}, notice.Faultf(notice.Denied, op, "%s", remedy)
	}
	switch peer.Kind {
	case identity.Operator:
		if rules[method]&operators == 0 {
			return denied("this takes an agency's certificate: an operator publishes nothing and hears no feedback")
		}
	case identity.Agency:
		if rules[method]&agencies == 0 {
			return denied("this is for operators: use an operator's certificate")
		}
		row, ok := snapshot.Agency(notice.AgencyID(peer.Name))
		if !ok {
			return denied("the agency has no access: ask the operator of Signalbox to add it")
		}
		if row.GetCertificate() != "" && row.GetCertificate() != identity.Serial(certificate) {
			return denied("this certificate was replaced by a newer one: use that, or ask the operator of Signalbox for another")
		}
		c.agency = row
	default:
		return denied("the certificate names nobody")
	}
	return c, nil
}
