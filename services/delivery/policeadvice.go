package delivery

// What the notices that police cause advise, by kind and, where it matters, by the function told.

const (
	recordWho  = "Record it in the child's file, and who has it."
	noPlaces   = "Do not ask by email where the child is, and do not write it in one."
	noTipOff   = "Do not tell the family, or anybody who may be a party, before you have agreed with police what may be said."
	noAppeal   = "Do not publish it, and do not ask for help on social media: police decide on that."
	askCustody = "Telephone the custody desk of the force, quoting the reference: it says where the child is held."
	askRelease = "Telephone the custody desk of the force, quoting the reference: it says where the child went, and with whom."
)

// educates says whether the part in which a recipient is told is that of a school or setting, or of those who answer for
// a child's education at home.
func educates(function string) bool { return function == "setting" || function == "home_education" }

func vulnerablePersonAdvice() (do, doNot []string) {
	return []string{
			"Decide by the time above what is to happen, from the risk that police see and from what your agency knows.",
			"Treat a notice that is not graded as one of high risk.",
			"Hold a strategy discussion where there is reason to think that the child suffers, or is likely to suffer, significant harm.",
			recordWho, emergency,
		}, []string{
			"Do not leave it in a queue by date: the risk orders it.",
			noTipOff, noForward,
		}
}

func missingAdvice(function string) (do, doNot []string) {
	if educates(function) {
		return []string{
				"If the child is with you, or comes in, telephone police at once, on 101 or, in danger, 999, quoting the reference.",
				"Tell police what you know today: when the child was last in, friends, worries, places.",
				"Tell only the staff who need to know, so that somebody notices when the child comes in.",
				recordItSafe,
			}, []string{
				noParents, "Do not search for the child yourself.", noAppeal, ownSystems, noForward,
			}
	}
	return []string{
			"Tell police now what you know: where the child may be, with whom, and what they may be in danger of.",
			"Agree with police who searches, who speaks to the family and when the plan is looked at again.",
			"Where the child is looked after, make sure that the authority that placed the child and the one where the child lives both know.",
			recordWho, emergency,
		}, []string{
			"Do not wait for the morning: a child is missing at any hour.",
			noAppeal, noForward,
		}
}

func foundAdvice(function string) (do, doNot []string) {
	if educates(function) {
		return []string{
				"Let the staff who looked out for the child know that the child is found, and no more.",
				"Welcome the child back quietly. If the child speaks of it, listen and record what is said.",
				recordItSafe, emergency,
			}, []string{
				noParents, "Do not ask the child about it: the return interview is for that.", ownSystems, noForward,
			}
	}
	return []string{
			"See to it that somebody independent offers the child a return interview by the time above: 72 hours after the return.",
			"Have what comes of it published, also where the child declines.",
			"Where the child is not safe or was harmed, hold a strategy discussion.",
			recordWho, emergency,
		}, []string{
			"Do not have the child interviewed by those who look after them.",
			noForward,
		}
}

func returnInterviewAdvice() (do, doNot []string) {
	return []string{
			"Read what the child said, and decide what it changes in what your agency does.",
			"Where it tells of harm, exploitation or a place of danger, act on it today.",
			"Where the child declined, decide who tries again, and when.",
			recordWho, emergency,
		}, []string{
			"Do not share what the child said with the family or carers unless the child agreed.",
			noForward,
		}
}

func protectionAdvice() (do, doNot []string) {
	return []string{
			"Telephone the designated officer now, quoting the reference: they say where the child is, and when you take over the care of the child.",
			"Decide before the protection ends whether to ask a court for an order: the time above is the latest, and cannot be extended.",
			recordWho,
		}, []string{
			noPlaces, noTipOff, noForward,
		}
}

func protectionEndedAdvice() (do, doNot []string) {
	return []string{
			"Check that what is to follow has begun: where the child is now, and who is responsible for them.",
			"If you do not agree, telephone the designated officer now, quoting the reference.",
			recordWho, emergency,
		}, []string{
			noPlaces, noForward,
		}
}

func custodyAdvice(function string) (do, doNot []string) {
	if function == "youth_justice" {
		return []string{
				askCustody,
				"Where no appropriate adult is with the child, find one now.",
				"Tell custody what you know of the child: orders, needs, risks.",
				recordWho,
			}, []string{
				noPlaces, noForward,
			}
	}
	return []string{
			askCustody,
			"Tell custody what you know of the child's needs and risks, and who has parental responsibility.",
			"Where no appropriate adult is with the child, see to it that one comes.",
			"Where the child is charged and refused bail, offer accommodation: a child is not to spend the night in a cell for want of a place.",
			recordWho,
		}, []string{
			noPlaces, noForward,
		}
}

func releasedAdvice(function string) (do, doNot []string) {
	if function == "youth_justice" {
		return []string{
				"Telephone the custody desk of the force, quoting the reference: it says what conditions the child has to keep to, and when a court sits.",
				"Where the child is charged, prepare the child for the court; where bail was refused, plan with the local authority where the child can stay.",
				"Where the child is released on bail or under investigation, offer support while they wait.",
				recordWho, emergency,
			}, []string{
				noPlaces, noForward,
			}
	}
	return []string{
			askRelease,
			"Check that the child is safe where they are now, and that whoever has the care of them knows what the child has to keep to.",
			"Where the child was charged and kept for a court, find out why they were not moved to accommodation, and record it.",
			"Decide what the detention tells of the child's needs and risks, exploitation among them.",
			recordWho, emergency,
		}, []string{
			noPlaces, noForward,
		}
}
