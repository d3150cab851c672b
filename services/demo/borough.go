package demo

import (
	"embed"
	"io/fs"

	"github.com/signalbox-hq/signalbox/services/directory/importer"
)

//go:embed borough
var boroughFiles embed.FS

//go:embed rehearsal
var rehearsalFiles embed.FS

//go:embed events/*.json
var eventFiles embed.FS

// Borough is the invented borough's directory as files to import, in the order that BoroughFiles gives.
func Borough() fs.FS { return below(boroughFiles, "borough") }

// Events are the sample events, one to a file: proto JSON of signalbox.event.v1.Event. All may be published but
// MalformedEvent.
func Events() fs.FS { return below(eventFiles, "events") }

// MalformedEvent is the sample that is refused.
const MalformedEvent = "23-malformed.json"

func below(files embed.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		return files // only where dir is no valid path, and both are constants
	}
	return sub
}

// rehearsal lists what the demo adds to the borough: a night on the rota, and who stands in at meetings.
func rehearsal() []File {
	return []File{{"contacts.csv", importer.Contacts, "rehearsal"}, {"rota.csv", importer.Rota, ""}}
}

// File is one file of the borough: what it is and whose rows it has.
type File struct{ Name, Format, Source string }

// BoroughFiles lists the borough's files in the order in which to import them.
func BoroughFiles() []File {
	return []File{
		{"areas.csv", importer.Areas, ""},
		{"organisations.csv", importer.Organisations, ""},
		{"ONSPD_MAY_2026_UK.csv", importer.ONSPD, ""},
		{"edubasealldata20260601.csv", importer.GIAS, ""},
		{"links_edubasealldata20260601.csv", importer.GIASLinks, ""},
		{"childcare_providers_2026-03-31.csv", importer.Ofsted, ""},
		{"epraccur.csv", importer.ODS, "epraccur"},
		{"bank-holidays.json", importer.BankHolidays, ""},
		{"term-dates.csv", importer.TermDates, ""},
		{"ashmere-roll.csv", importer.PupilRoll, "ashmere-roll"},
		{"kestrel-roll.csv", importer.PupilRoll, "kestrel-roll"},
		{"ashmere-network.csv", importer.Network, "ashmere-network"},
		{"contacts.csv", importer.Contacts, "contacts"},
		{"restrictions.csv", importer.Restrictions, ""},
	}
}
