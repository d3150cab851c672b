package routing

import (
	"fmt"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// enrolmentParties are the settings that a change of enrolment names, as participants: the one joined and the one left.
func enrolmentParties(e *eventv1.EnrolmentChanged) []*eventv1.Participant {
	joined, left := e.Setting, e.Other
	if e.Change == eventv1.EnrolmentChange_ENROLMENT_CHANGE_LEFT {
		joined, left = e.Other, e.Setting
	}
	var parties []*eventv1.Participant
	for _, p := range []*eventv1.Participant{{Organisation: joined, Function: "new_setting"}, {Organisation: left, Function: "old_setting"}} {
		if p.Organisation != nil {
			parties = append(parties, p)
		}
	}
	return parties
}

// ownWord says whether a change of enrolment would be told to the setting that published it. An authority is told what it
// published: admissions and those who look for missing children are two teams.
func (d *decider) ownWord(s *subject, org notice.OrgID) bool {
	_, setting := d.Directory.Setting(org)
	return setting && notice.EventKind(s.event.Type) == notice.EnrolmentChanged && d.publisher(s) == string(org)
}

// toldOtherwise says whether a place of the child is told by a rule that is not about places, or of the end of the matter, or
// published the event itself: a school in the core group of a plan.
func (d *decider) toldOtherwise(s *subject, org notice.OrgID) bool {
	told := slices.ContainsFunc(d.obligations, func(o *obligation) bool {
		return o.Child == s.finding.Child && o.Organisation == string(org)
	})
	if told || d.ownWord(s, org) || d.knowsOfEnd(s, org) {
		d.placed[s.finding.Child] = true
		return true
	}
	return false
}

// holdAgainstRoll asks for the roll to be put right where it does not say what the event says. The event changes no roll: one
// slip of a form must not send the next notice to the wrong school. Until the roll has it, notices follow the roll.
func (d *decider) holdAgainstRoll(s *subject) {
	e := s.event.GetEnrolmentChanged()
	if e == nil || !s.found {
		return // of a child whom no roll knows people are asked anyway
	}
	day, err := directory.ParseDate(e.On)
	if err != nil {
		return // intake refuses it
	}
	left := e.Change == eventv1.EnrolmentChange_ENROLMENT_CHANGE_LEFT
	if left {
		day = day.AddDays(1)
	}
	there := slices.ContainsFunc(d.Directory.Enrolments(s.id(), day), func(x *directoryv1.Enrolment) bool {
		return x.Setting != "" && x.Setting == e.Setting.GetId()
	})
	if there != left {
		return
	}
	says := "that the child goes there"
	if left {
		says = "that the child has left"
	}
	d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, d.settingArea(s, notice.OrgID(e.Setting.GetId())), "education_safeguarding",
		fmt.Sprintf("the roll does not say %s: have it put right and imported; until then notices follow the roll", says), nil)
}

// settingArea is the area of a setting, or the one where the child lives.
func (d *decider) settingArea(s *subject, id notice.OrgID) notice.Area {
	if setting, ok := d.Directory.Setting(id); ok {
		return notice.Area(setting.Area)
	}
	return d.residence(s)
}
