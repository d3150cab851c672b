package demo

import (
	"context"

	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
)

func careMorning() []piece {
	grpc := way{}
	return []piece{
		{file: "41-placement.json", by: grpc, also: telephonePlacement, say: "A child whom Ashmere looks after is to be placed with foster carers on Monday: those concerned " +
			"are told before, the child's doctor and social worker among them. Who the reviewing officer is, nobody has said; the " +
			"roll does not have the placement yet, and a person is asked to put it right."},
		{file: "42-responsibility-accepted.json", by: grpc, say: "Kestrel Vale accepts responsibility, in writing, for the child of yesterday's enquiry: Ashmere's duty ends."},
		{file: "43-plan-started.json", by: grpc, say: "A child protection plan starts, for a child and for a baby who is not born: midwifery and the hub are told of the baby, and no setting.", kids: map[string]string{
			"c1": "The child, 15, at two places; one is in the core group", "c2": "The unborn child",
		}, also: telephonePlacement},
		{file: "44-plan-ended.json", by: grpc, say: "Another plan ends, for a child who is educated at home."},
		{file: "45-medical-requested.json", by: grpc, say: "A child protection medical is asked of the health services of the area, by this afternoon."},
	}
}

func careAfternoon() []piece {
	return []piece{
		{file: "46-medical-concluded.json", by: way{}, also: telephonePlacement, say: "What it found: social care and police are told. Who the child's doctor is, nobody has said."},
		{file: "47-enrolment-changed.json", by: way{}, also: telephonePlacement, say: "The child leaves one school for another. The old school is not told where the child goes; the " +
			"roll does not say so yet, and a person is asked to have it put right."},
	}
}

func telephonePlacement(ctx context.Context, s *stage, p *published) (string, error) {
	return "Whoever is asked to sees to it by telephone, and says so.", s.endRest(ctx, p, &taskv1.ResolveRequest{
		Resolution: "told_by_telephone", Reason: "Found out who it is, and spoke to them.",
		Answered: "The practice manager", Verified: "Called the number in the directory.",
	})
}
