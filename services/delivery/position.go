package delivery

import (
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
)

// designatedOfficer is the function told of an allegation about somebody who works with children.
const designatedOfficer = "lado"

const positionTitle = "Allegation about somebody who works with children"

// toOfficer says whether a notice tells the designated officer: it is about an adult, whatever the kind of event.
func toOfficer(n *noticev1.Notice) bool { return n.GetRole() == designatedOfficer }

func positionAdvice() (do, doNot []string) {
	return []string{
			"Telephone the agency that sent this, quoting the reference: it tells you what is alleged, and of which child.",
			"Decide within one working day whether the threshold is met, and hold an initial discussion with the employer if so.",
			"Find out where else the person works or volunteers with children, or has children of their own.",
			"Say who at the place of work may know, and what. Where it was given by its number, it has had no notice.",
			"Record it under your procedure for allegations, apart from any child's file.",
		}, []string{
			"Do not tell the person, or their colleagues, before you have agreed with police and children's social care what may be said.",
			ownersOnly,
			noForward,
		}
}

func (l layer) position(p *eventv1.Person) string {
	if !p.GetWorksWithChildren() {
		return ""
	}
	if at := l.organisation(p.GetWorksAt()); at != "" {
		return "works with children at " + at
	}
	return "works with children; where is not stated"
}
