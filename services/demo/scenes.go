package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// opening is when the demo begins: a Thursday evening in term.
func opening() time.Time { return uk(time.June, 18, 19, 40) }

// uk is a UK clock time in 2026.
func uk(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2026, month, day, hour, minute, 0, 0, directory.London())
}

func scenes() []scene { return slices.Concat(termScenes(), gapScenes(), holidayScenes()) }

func termScenes() []scene {
	protobuf, binary, structured, grpc := way{intake.Protobuf}, way{intake.CloudEventsBinary}, way{intake.CloudEventsJSON}, way{}
	return []scene{
		{at: opening(), title: "A school night", pieces: []piece{{
			file: "01-school-night.json", by: protobuf, say: "Police were at a home where a child was. The child goes to one school.",
			kids: map[string]string{"c1": "The child, 11"},
		}}, then: func(_ context.Context, s *stage) error { return s.showExample() }},
		{at: uk(time.June, 18, 22, 15), title: "Four in one family", pieces: []piece{{
			file: "02-siblings.json", by: binary, say: "Police were at a home with four children: each place of each child is told, of that child alone.",
			kids: map[string]string{
				"c1": "The youngest, 3, in a nursery class (mornings, Monday to Wednesday)", "c2": "The second, 5, at the same school",
				"c3": "The third, 13, at two schools at once (one has an INSET day tomorrow)", "c4": "The eldest, 14, educated at home",
			},
		}}},
		{at: uk(time.June, 18, 23, 10), title: "Never a guess", pieces: []piece{
			{file: "03-unknown-child.json", by: structured, say: "A child whom no roll has."},
			{file: "04-two-children-match.json", by: structured, say: "Two children have this name and date of birth, and police gave no address.", also: matchThorne},
			{file: "05-identifier-contradicts.json", by: structured, say: "The pupil number given is another child's.", also: matchWintour},
			{file: "06-protected-child.json", by: structured, say: "A child whose whereabouts are sealed: the answer is that of an unknown child."},
		}},
		{at: uk(time.June, 19, 0, 30), title: "An hour later, past midnight: overdue", pieces: []piece{
			{file: "03-unknown-child.json", quiet: true, say: "The unknown child.", also: telephoneAll},
			{file: "06-protected-child.json", quiet: true, say: "The protected child.", also: telephoneAll},
		}},
		{at: uk(time.June, 19, 10, 0), title: "In the school day", pieces: []piece{{
			file: "07-school-day.json", by: protobuf, say: "A student of 17 at a college. There a program opens every link before anybody reads: that acknowledges nothing.",
		}}},
		{at: uk(time.June, 19, 10, 10), title: "“This child is not at our school”", pieces: []piece{{
			file: "08-not-at-this-school.json", by: binary, say: "The roll is out of date. The school's office mailbox is read by several, so the code goes to one person.",
			also: chooseForSollis,
		}}},
		{at: uk(time.June, 19, 11, 25), title: "Two referrals", pieces: []piece{
			{file: "09-referral-health-visitor.json", by: grpc, say: "A health visitor refers a child of 3: an acknowledgement that names the child."},
			{file: "10-referral-neighbour.json", by: grpc, say: "A neighbour refers the same child: an acknowledgement that names nobody."},
		}},
		{at: uk(time.June, 22, 9, 20), title: "The referrals are decided", pieces: []piece{
			{file: "11-referral-health-visitor-decided.json", by: grpc, say: "The health visitor hears the decision and the next step."},
			{file: "12-referral-neighbour-decided.json", by: grpc, say: "The neighbour hears that it was dealt with, and is named to nobody."},
		}, then: subscribe},
		{at: uk(time.June, 22, 11, 0), title: "A strategy meeting is called", pieces: []piece{{
			file: "13-strategy-meeting-convened.json", by: grpc, also: telephoneBrookside,
			say: "Six are invited for this afternoon; one is not in the directory. Two decline, and somebody else there is asked at once; " +
				"the health trust sends a deputy.",
		}}, then: showMeeting},
		{at: uk(time.June, 22, 16, 10), title: "The strategy meeting was held", pieces: []piece{{
			file: "14-strategy-meeting-concluded.json", by: grpc, say: "Those who came get the record; the one who was absent its actions; the unknown one is a gap.",
			also: telephoneBrookside,
		}}},
		{at: uk(time.June, 23, 10, 30), title: "A child who lives elsewhere; a conference", pieces: []piece{
			{file: "15-enquiry-home-area.json", by: grpc, say: "A section 47 enquiry in Ashmere ends. The child lives in Kestrel Vale, which is told and must accept."},
			{file: "16-conference-concluded.json", by: grpc, say: "An initial child protection conference was held. The school nurses' system reads its outcome in an inbox."},
		}, then: showInbox},
		{at: uk(time.June, 23, 11, 30), title: "A correction, and the same event again", pieces: []piece{
			{file: "17-correction.json", by: protobuf, say: "Police correct Thursday's incident: the school gets version 2, marked so."},
			{file: "01-school-night.json", by: structured, say: "Their system sends Thursday's event once more."},
		}},
		{at: uk(time.June, 23, 20, 0), title: "Closed schools, and children under five", pieces: []piece{
			{file: "18-closed-one-successor.json", by: protobuf, say: "The school on the roll closed and has one successor."},
			{file: "19-closed-two-successors.json", by: binary, say: "The school on the roll closed and was split in two.", also: chooseForSable},
			{file: "20-closed-no-successor.json", by: structured, say: "The school on the roll closed, and nothing took its place: the authority's team is told."},
			{file: "21-pre-school.json", by: protobuf, say: "A private nursery and a childminder are told too, each on its own lawful basis.", kids: map[string]string{
				"c1": "The elder, 3, at a nursery part of the week", "c2": "The younger, 2, at a childminder's",
			}},
		}},
		{at: uk(time.June, 24, 8, 15), title: "The wrong child", pieces: []piece{{
			file: "24-wrong-child.json", by: protobuf, say: "Police publish an incident, and find minutes later that it is about another child.", also: takeBack,
		}}},
		{at: uk(time.June, 24, 10, 5), title: "A morning of social care", pieces: careMorning()},
		{at: uk(time.June, 24, 15, 45), title: "The medical was held; a child leaves school", pieces: careAfternoon(), then: showInbox},
		{at: uk(time.June, 25, 18, 55), title: "Police are concerned about a child", pieces: []piece{{
			file: "31-vulnerable-person-notice.json", by: protobuf,
			say: "A vulnerable person notice, graded red: the hub and the health advisers have two hours, whatever else waits there.",
		}}},
		{at: uk(time.June, 25, 20, 30), title: "A looked-after child is missing", pieces: []piece{{
			file: "32-missing.json", by: binary,
			say: "The next area placed the child here: the authority here, the one that looks after the child and the school are told.",
		}}},
		{at: uk(time.June, 26, 2, 10), title: "Found in the night", pieces: []piece{{
			file: "33-found.json", by: protobuf, say: "The same hear of it, here the emergency duty team at this hour, and by when a return interview is due: 72 hours after the return.",
		}}},
		{at: uk(time.June, 26, 16, 35), title: "The return interview", pieces: []piece{{
			file: "34-return-interview.json", by: grpc, say: "What the child said goes to police and to both authorities, and not to the school.",
		}}},
		{at: uk(time.June, 27, 23, 25), title: "Police protection", pieces: []piece{{
			file: "35-police-protection.json", by: protobuf,
			say: "A child of the next area is taken into police protection here: both authorities are told at once, at night; here whoever has the shift on the rota.",
		}}},
		{at: uk(time.June, 28, 11, 25), title: "The protection has ended", pieces: []piece{{
			file: "36-police-protection-ended.json", by: protobuf, say: "The same two are told how. The night shift on the rota is over: here it is the emergency duty team's mailbox.",
		}}},
		{at: uk(time.June, 29, 14, 20), title: "A child is detained", pieces: []piece{{
			file: "37-custody.json", by: binary, say: "Social care and youth justice are told, and that no appropriate adult is there; where the child is held is in no notice.",
		}}},
		{at: uk(time.June, 29, 21, 45), title: "The detention has ended", pieces: []piece{{
			file: "38-custody-released.json", by: binary, say: "The same two are told how, and who has the care of the child now; the list of that day has the end.",
		}}},
	}
}

func holidayScenes() []scene {
	protobuf := way{intake.Protobuf}
	return []scene{
		{at: uk(time.August, 7, 23, 0), title: "Friday night in August", pieces: []piece{{
			file: "22-holiday-other-force.json", by: protobuf,
			say: "The child lives in Ashmere, goes to school in another force's area, and moves school on 1 September.",
		}}},
		{at: uk(time.August, 10, 11, 40), title: "An event that cannot be right", pieces: []piece{{
			file: MalformedEvent, by: protobuf, say: "Nothing of it is sent or dropped: it is kept, and its publisher hears every fault by field.",
		}}},
		{at: uk(time.August, 10, 12, 0), title: "Monday noon: nobody has answered", pieces: []piece{{
			file: "22-holiday-other-force.json", quiet: true,
			say: "The holiday contact is away, so the authority's team is told now. The new school's lead is told before term opens.",
		}}},
	}
}

func matchThorne(ctx context.Context, s *stage, p *published) (string, error) {
	return "The police desk telephones the home and resolves its task: it is the child at St Brónagh’s. That school's DSL has yet to " +
		"confirm the address that the directory holds, so the deputy is told.", s.match(ctx, p, "Thorne", "Sam", "gias:900109")
}

func matchWintour(ctx context.Context, s *stage, p *published) (string, error) {
	return "The police desk finds the slip in the number and resolves its task: it is the child of that name, who has a twin.",
		s.match(ctx, p, "Wintour", "Ada", "gias:900109")
}

// match has the police desk say which child was meant. The ids are the directory's, and an operator's to look up.
func (s *stage) match(ctx context.Context, p *published, family, given, setting string) error {
	rows, err := show(ctx, s.directory, directory.KindChild)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c := row.GetChild()
		if c.GetFamily() == family && c.GetGiven() == given && c.GetEnrolments()[0].GetSetting() == setting {
			return s.resolve(ctx, p, police, ledgerv1.TaskKind_TASK_KIND_UNMATCHED, "northbridge-police", &taskv1.ResolveRequest{
				Resolution: "matched", Reason: "Spoke to a parent, who confirmed the school.", Child: c.Id,
			})
		}
	}
	return fmt.Errorf("demo: the child of scene 3 is not in the directory")
}

func telephoneAll(ctx context.Context, s *stage, p *published) (string, error) {
	return "The police desk did not get to it within the hour, so its task went to the authority's duty officer, who telephones.",
		s.endRest(ctx, p, &taskv1.ResolveRequest{
			Resolution: "told_by_telephone", Reason: "Telephoned those who need to know; named in the case record.",
			Answered: "The duty officer", Verified: "Called the number in the directory.",
		})
}

// endRest has the owners of an event's open tasks end them in one way.
func (s *stage) endRest(ctx context.Context, p *published, how *taskv1.ResolveRequest) error {
	a, err := s.account(ctx, p.event.Source, p.event.Id)
	if err != nil {
		return err
	}
	for _, t := range a.tasks {
		if t.resolution != "" || t.settled {
			continue
		}
		by := socialCare
		for _, agency := range agencies() {
			if agency[1] == t.Organisation {
				by = agency[0]
			}
		}
		if err := s.end(ctx, by, t, proto.CloneOf(how)); err != nil {
			return err
		}
	}
	return nil
}

func chooseForSollis(ctx context.Context, s *stage, p *published) (string, error) {
	if err := s.resolve(ctx, p, socialCare, ledgerv1.TaskKind_TASK_KIND_NOT_AT_SETTING, "ashmere-council", &taskv1.ResolveRequest{
		Resolution: "setting_chosen", Reason: "Admissions: moved in May.", Settings: []string{"gias:900108"},
	}); err != nil {
		return "", err
	}
	return "The authority's duty officer finds the child on another school's list and resolves the task: that school is told. What the first " +
			"school saw is a data breach: the police desk is asked about it, and need not ask for its deletion, since the office said that it is done.",
		s.resolve(ctx, p, police, ledgerv1.TaskKind_TASK_KIND_MISDIRECTION, "northbridge-police", &taskv1.ResolveRequest{
			Resolution: "do_not_ask", Reason: "The office deleted it when it answered.",
		})
}

// takeBack has police withdraw what they published, and say that those who were told may be asked to delete it.
func takeBack(ctx context.Context, s *stage, p *published) (string, error) {
	ev, err := sample("25-wrong-child-withdrawn.json")
	if err != nil {
		return "", err
	}
	if err := s.agencies[police].publish(ctx, ev, way{intake.Protobuf}); err != nil {
		return "", err
	}
	if err := s.act(ctx); err != nil {
		return "", err
	}
	return "Police withdraw it: the link is dead at once and nobody is chased. The school's lead had it already, so the police desk has 72 hours " +
			"to see to a data breach. Nobody is asked to delete anything before the desk says that this is safe. It does, and the lead confirms.",
		s.resolve(ctx, p, police, ledgerv1.TaskKind_TASK_KIND_MISDIRECTION, "northbridge-police", &taskv1.ResolveRequest{
			Resolution: "safe_to_ask", Reason: "The lead is no party to it; checked with the officer in the case.",
		})
}

func telephoneBrookside(ctx context.Context, s *stage, p *published) (string, error) {
	return "The authority's desk telephones the family centre, and says so.",
		s.resolve(ctx, p, socialCare, ledgerv1.TaskKind_TASK_KIND_GAP, "ashmere-council", &taskv1.ResolveRequest{
			Resolution: "told_by_telephone", Reason: "Spoke to the manager of the centre.",
			Answered: "The manager", Verified: "Called the number that the centre publishes.",
		})
}

func chooseForSable(ctx context.Context, s *stage, p *published) (string, error) {
	return "The authority's education safeguarding team looks the child up and chooses: Fernside is told.",
		s.resolve(ctx, p, socialCare, ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR, "ashmere-council", &taskv1.ResolveRequest{
			Resolution: "setting_chosen", Reason: "Admissions: placed at Fernside when Quarry Hill closed.", Settings: []string{"gias:900110"},
		})
}

// resolve has an agency's person end a task of an event.
func (s *stage) resolve(ctx context.Context, p *published, by string, kind ledgerv1.TaskKind, owner string, req *taskv1.ResolveRequest) error {
	a, err := s.account(ctx, p.event.Source, p.event.Id)
	if err != nil {
		return err
	}
	t := a.open(kind, owner)
	if t == nil {
		return fmt.Errorf("demo: %s has no open task of kind %s", owner, kind)
	}
	return s.end(ctx, by, t, req)
}

func (s *stage) end(ctx context.Context, by string, t *asked, req *taskv1.ResolveRequest) error {
	req.Task = t.Id
	_, err := s.agencies[by].tasks.Resolve(ctx, req)
	return rpc.Fault(err)
}

// refusal shows what is wrong with an event, as its publisher hears it.
func (s *stage) refusal(ctx context.Context, e *published) error {
	feedback, err := s.agencies[e.event.Source].intake.Feedback(ctx, &intakev1.FeedbackRequest{})
	if err != nil {
		return rpc.Fault(err)
	}
	for _, change := range feedback.Changes {
		if change.GetRejected().GetEventId() != e.event.Id {
			continue
		}
		fmt.Fprintln(s.out)
		t := table{out: s.out, indent: 3, widths: []int{33, 62}}
		t.row("Field", "What to do")
		t.rule()
		for _, f := range change.GetRejected().GetFaults() {
			t.row(f.Field, f.Message)
		}
	}
	list, err := s.agencies[e.event.Source].tasks.List(ctx, &taskv1.ListRequest{})
	if err != nil {
		return rpc.Fault(err)
	}
	for _, t := range list.Items {
		if t.Task.Kind == ledgerv1.TaskKind_TASK_KIND_QUARANTINED {
			s.tasksOf(&account{tasks: []*asked{{Task: t.Task}}})
		}
	}
	return nil
}

// showMeeting shows who comes, as the agency that called the meeting sees it.
func showMeeting(ctx context.Context, s *stage) error {
	shown, err := s.agencies[socialCare].meets.Show(ctx, &meetingv1.ShowRequest{Reference: "SM-0311"})
	if err != nil {
		return rpc.Fault(err)
	}
	fmt.Fprintln(s.out)
	t := table{out: s.out, indent: 3, widths: []int{34, 17, 18, 22}}
	t.row("Who was to come", "As", "Answer", "Who comes")
	t.rule()
	for _, i := range shown.Invited {
		answer := words(i.State)
		if i.Answers > 1 {
			answer += ",\nafter a refusal"
		}
		t.row(i.Name, words(i.Function), answer, i.Comes)
	}
	missing := "nobody: each function that has to be there is promised"
	if len(shown.Missing) > 0 {
		missing = words(strings.Join(shown.Missing, ", "))
	}
	paragraph(s.out, 3, "Missing: "+missing+".")
	return nil
}
