package delivery

import (
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Callable lists the contacts that a person may telephone about a notice which nobody has: those of its chain with a
// telephone number, in the chain's order and its roles', whoever is on duty first (Snapshot.Duty). What keeps a contact from being sent
// to keeps it from being called.
func Callable(chain []*ledgerv1.Link, about About, snap *directory.Snapshot, at time.Time) []*directoryv1.Contact {
	restricted := barriers(snap, about.Child).following(snap, at)
	var callable []*directoryv1.Contact
	for _, link := range chain {
		org := notice.OrgID(link.GetOrganisation())
		bars := restricted.keeping(about.Parties, snap.Contacts(org))
		if bars.everybody || bars.organisation(snap, org) {
			continue
		}
		for _, role := range link.GetRoles() {
			var fit []*directoryv1.Contact
			for _, c := range snap.Contacts(org) {
				if c.GetRole() == role && unfit(c, bars, snap, at, History{}) == reasonTelephone && !slices.Contains(callable, c) {
					fit = append(fit, c)
				}
			}
			for _, turn := range snap.Duty(org, role, directory.UseEvery, at).Turns {
				if slices.Contains(fit, turn.Contact) {
					callable = append(callable, turn.Contact)
				}
			}
		}
	}
	return callable
}

// CallScript is what to say on the telephone about a notice, and what not to: to whoever answers first nothing that says
// that a child is concerned.
func CallScript(reference, publisher string) []string {
	from := "Signalbox"
	if publisher != "" {
		from = publisher
	}
	return []string{
		"Call a number that the directory has or the organisation itself publishes, never one that you were just given. Use no speaker, and be where nobody hears you.",
		"Ask for the person named. Until you know who it is say only: \"I am calling on behalf of " + from + " about a message for you.\"",
		"Make sure who it is: their full name and role, and something that only they know here, or have them call you back through the number of their switchboard.",
		"Then say: \"There is an official-sensitive notice, reference " + reference + ".\" Tell what it is about, as far as you are shown it, and what is to be done by when.",
		"Say what not to do: do not speak with the family about it, and do not put it into online or class systems.",
		"Leave no message with anybody else or on a machine. Try the next in the list.",
		"Then write down who answered and how you made sure, and resolve the task with told_by_telephone: that is what ends the notice.",
	}
}

// MeetingScript is CallScript about an invitation that nobody has accepted.
func MeetingScript(reference, publisher string, meets time.Time) []string {
	script := CallScript(reference, publisher)
	return slices.Insert(script, len(script)-2, "Ask whether they come to the meeting at "+ShortTime(meets, directory.London())+
		", and who. Write it down with the task, or have an operator record it: signalbox meeting reply, which ends the task as well.")
}
