package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// input is one field of the form as it is shown.
type input struct {
	Kind    string // text, lines, select or radio
	Name    string
	Label   string
	Hint    string
	Value   string
	Size    string // class of its width
	Fill    string // autocomplete
	Day     bool   // holds a day
	Rows    int
	Options []option
	Wrong   []string
}

type option struct{ Value, Text string }

// block is a group of fields with one legend.
type block struct {
	ID     string
	Legend string
	Hint   string
	Inputs []input
	Remove string // action that takes the block out, or empty
}

// section is a part of the form with a heading.
type section struct {
	Heading, Hint string
	Blocks        []block
	Add, AddText  string // action that adds a block, or empty
	AddTo         string // id of the block that it adds
}

// Shown is what a field's value reads as in the review.
func (i input) Shown() string {
	for _, o := range i.Options {
		if o.Value == i.Value {
			return o.Text
		}
	}
	return strings.TrimSpace(i.Value)
}

func text(name, label, value string) input {
	return input{Kind: "text", Name: name, Label: label, Value: value, Fill: "off"}
}

func (i input) day() input { i.Size, i.Day = "short", true; return i }

func (i input) hint(h string) input { i.Hint = h; return i }
func (i input) short() input        { i.Size = "short"; return i }
func (i input) fill(f string) input { i.Fill = f; return i }
func lines(name, label, value string, rows int) input {
	return input{Kind: "lines", Name: name, Label: label, Value: value, Rows: rows}
}

func choice(name, label, value string, options ...option) input {
	return input{Kind: "radio", Name: name, Label: label, Value: value, Options: options}
}

func notStated(options ...option) []option { return append(options, option{"", "Not stated"}) }

// sections lays the form out, with what is wrong beside each field.
func (f *form) sections(areas []Area, wrong faults, london *time.Location) []section {
	all := []section{
		f.incidentSection(areas, london), f.placeSection(), f.childrenSection(areas), f.peopleSection(), f.textSection(),
		{Heading: "You", Blocks: []block{{Inputs: []input{
			text("reporter", "Your own name", f.reporter).hint("It is kept with the report, and goes into no notice.").fill("name"),
		}}}},
	}
	for s := range all {
		for b := range all[s].Blocks {
			for i := range all[s].Blocks[b].Inputs {
				in := &all[s].Blocks[b].Inputs[i]
				in.Wrong = wrong[in.Name]
			}
		}
	}
	return all
}

func (f *form) incidentSection(areas []Area, london *time.Location) section {
	area := input{Kind: "select", Name: "area", Label: "Local authority area where it happened", Value: f.area,
		Options: append([]option{{"", "Choose an area"}}, areaOptions(areas)...)}
	done := func(name, label, value string) input {
		return choice(name, label, value, notStated(option{"done", "Done"}, option{"not-done", "Not done"})...)
	}
	return section{Heading: "The incident", Blocks: []block{
		{Inputs: []input{
			text("subject", "Your reference", f.subject).hint("Of the incident, as your agency keeps it. The same reference again is the same incident."),
		}},
		f.occurred.block("occurred", "When it happened", london),
		f.reported.block("reported", "When it was reported to you", london),
		{Inputs: []input{area, choice("risk", "Risk, as you grade it", f.risk,
			option{"high", "High"}, option{"medium", "Medium"}, option{"standard", "Standard"}, option{"", "Not graded: treated as high"})}},
		{Legend: "Checks made", Inputs: []input{
			done("pnc", "Police National Computer", f.checks[0]), done("pnd", "Police National Database", f.checks[1]),
			done("welfare", "An officer has seen the child", f.checks[2]),
		}},
	}}
}

func (m moment) block(name, legend string, london *time.Location) block {
	b := block{ID: name, Legend: legend, Inputs: []input{
		text(name+"-day", "Date", m.day).hint("Day, month and year, such as 27 3 2026").day(),
		text(name+"-clock", "Time", m.clock).hint("On the 24-hour clock, such as 21:15").short(),
	}}
	if m.which != "" || m.twice(london) {
		b.Inputs = append(b.Inputs, choice(name+"-which", "The clocks went back and this time came twice. Which one?", m.which,
			option{first, "The first: summer time (BST)"}, option{second, "The second: winter time (GMT)"}))
	}
	return b
}

func (f *form) placeSection() section {
	return section{Heading: "Where it happened", Hint: "Goes into no notice.", Blocks: []block{{Inputs: f.place.inputs("place")}}}
}

func (a address) inputs(name string) []input {
	return []input{lines(name+"-lines", "Address", a.lines, 3), text(name+"-postcode", "Postcode", a.postcode).short()}
}

func (f *form) childrenSection(areas []Area) section {
	s := section{
		Heading: "Children", Hint: "Every child under 18 of the household, present or not. Each has a notice of their own, which names no other child.",
		Add: "add-child", AddText: "Add another child", AddTo: fmt.Sprintf("child-%d", len(f.children)),
	}
	if len(f.children) >= mostChildren {
		s.Add = ""
	}
	for i, c := range f.children {
		prefix := fmt.Sprintf("child-%d-", i)
		b := block{ID: fmt.Sprintf("child-%d", i), Legend: "Child " + strconv.Itoa(i+1), Inputs: []input{
			text(prefix+"given", "Given names", c.given), text(prefix+"family", "Family name", c.family),
			text(prefix+"known-as", "Known as, if that differs", c.knownAs),
			text(prefix+"born", "Date of birth", c.born).hint("Day, month and year, such as 9 5 2015").day(),
			choice(prefix+"presence", "Was the child there?", c.presence, notStated(option{"present", "Yes"}, option{"not-present", "No"})...),
			text(prefix+"setting", "School, nursery or other setting, as you were told", c.setting).hint("Helps the person who looks, where the child is not found by name and date of birth."),
			text(prefix+"upn", "Unique Pupil Number, if you know it", c.upn), text(prefix+"nhs", "NHS number, if you know it", c.nhs),
			text(prefix+"own", "Your own number of the child, if there is one", c.own),
			{Kind: "select", Name: prefix + "residence", Label: "Local authority area where the child lives", Value: c.residence,
				Options: append([]option{{"", "Not known"}}, areaOptions(areas)...)},
		}}
		b.Inputs = append(b.Inputs, c.home.inputs(prefix+"home")...)
		b.Inputs = append(b.Inputs, lines(prefix+"voice", "What the child said or showed", c.voice, 3).
			hint("Goes into this child's notice word for word: name nobody else in it."))
		if len(f.children) > 1 {
			b.Remove = fmt.Sprintf("remove-child-%d", i)
		}
		s.Blocks = append(s.Blocks, b)
	}
	return s
}

func (f *form) peopleSection() section {
	s := section{
		Heading: "Adults and others", Hint: "Who was involved. Named in no notice to a school; their names keep the notice from somebody who is one of them.",
		Add: "add-person", AddText: "Add another person", AddTo: fmt.Sprintf("person-%d", len(f.people)),
	}
	if len(f.people) >= mostPeople {
		s.Add = ""
	}
	for i, p := range f.people {
		prefix := fmt.Sprintf("person-%d-", i)
		s.Blocks = append(s.Blocks, block{
			ID: fmt.Sprintf("person-%d", i), Legend: "Person " + strconv.Itoa(i+1), Remove: fmt.Sprintf("remove-person-%d", i),
			Inputs: []input{
				{Kind: "select", Name: prefix + "role", Label: "Part in it", Value: p.role, Options: []option{
					{"", "Choose"}, {"victim", "Person harmed"}, {"suspect", "Alleged to have caused harm"},
					{"parent", "Parent or carer, neither of the two"}, {"other", "Somebody else"},
				}},
				text(prefix+"given", "Given names", p.given), text(prefix+"family", "Family name", p.family),
				text(prefix+"known-as", "Known as, if that differs", p.knownAs),
				text(prefix+"born", "Date of birth, if you know it", p.born).hint("Day, month and year, such as 9 5 1985").day(),
				text(prefix+"email", "Email address, if you know it", p.email).hint("Nobody is told at it, whoever's contact it is."),
				text(prefix+"telephone", "Telephone number, if you know it", p.telephone).short(),
				choice(prefix+"works", "Does this person work or volunteer with children?", p.works, notStated(option{"yes", "Yes"}, option{"no", "No"})...),
				text(prefix+"works-at", "Where, if so", p.worksAt).
					hint("The number in the register, such as gias:900101, keeps the report from that place; a name does not. The authority's designated officer is told."),
			},
		})
	}
	return s
}

func (f *form) textSection() section {
	return section{Heading: "What happened", Blocks: []block{{Inputs: []input{
		lines("told", "What the school may be told", f.told, 6).
			hint("Goes into the notice word for word. Say what happened and how the child was. No names but the child's own, no address, no telephone number: a text that holds one is held back."),
		lines("restricted", "What the school must not be told", f.restricted, 6).
			hint("Names, bail, police tactics, anything else. Goes into no notice."),
	}}}}
}

func areaOptions(areas []Area) []option {
	out := make([]option, len(areas))
	for i, a := range areas {
		out[i] = option{string(a.Code), a.Name}
	}
	return out
}

// complaint is one line above a form that is at fault.
type complaint struct{ Name, Text string }

// complaints lists what is wrong in the order of the form, the whole form's first.
func complaints(wrong faults, sections []section) []complaint {
	var all []complaint
	for _, text := range wrong[""] {
		all = append(all, complaint{Text: text})
	}
	shown := map[string]bool{"": true}
	for _, s := range sections {
		for _, b := range s.Blocks {
			for _, in := range b.Inputs {
				shown[in.Name] = true
				label := in.Label
				if b.Legend != "" {
					label = b.Legend + ", " + label
				}
				for _, text := range in.Wrong {
					all = append(all, complaint{Name: in.Name, Text: label + ": " + text})
				}
			}
		}
	}
	for name, texts := range wrong { // of a field that is not shown: said all the same
		if !shown[name] {
			for _, text := range texts {
				all = append(all, complaint{Text: name + ": " + text})
			}
		}
	}
	return all
}
