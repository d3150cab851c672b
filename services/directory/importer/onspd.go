package importer

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// units is how many second halves a postcode district can have: a digit and two letters.
const units = 10 * 26 * 26

// onspdFaults is how many bad rows of a file of millions are reported; the others are counted.
const onspdFaults = 500

// postcodeColumns are the columns that are read, each by the names it has had: they change with the edition, whose year most
// of them bear. Where a file has several, the first pattern counts.
func postcodeColumns() map[string][]*regexp.Regexp {
	names := func(patterns ...string) []*regexp.Regexp {
		var out []*regexp.Regexp
		for _, p := range patterns {
			out = append(out, regexp.MustCompile(`^(?:`+p+`)$`))
		}
		return out
	}
	return map[string][]*regexp.Regexp{
		"postcode":  names(`pcds`, `pcd7|pcd`, `pcd8|pcd2`),
		"doterm":    names(`doterm`),
		"county":    names(`oscty|cty|cty\d\dcd`),
		"authority": names(`oslaua|laua|lad|ladcd|lad\d\dcd`),
		"police":    names(`pfa|pfa\d\dcd`),
		"icb":       names(`icb|icb\d\dcd`),
		"sicbl":     names(`sicbl|sicbl\d\dcd|ccg|ccg\d\dcd|hlth|hlth\d\dcd`),
	}
}

// Postcodes is the directory of postcodes as read from a file: which lies where, and nothing else of it. It takes some
// tens of megabytes for the whole country, whatever the file's size.
type Postcodes struct {
	read      int64
	faults    []*directoryv1.RowFault
	bad       int64
	places    []postcodePlace
	placeAt   map[postcodePlace]uint16
	districts map[string]*[units]uint16 // 0 is no postcode, else the place's index + 1; terminated has the highest bit
	header    []string
}

type postcodePlace struct{ authority, health, police string }

// terminated marks a postcode that is no longer in use. It still says where a child lived whose roll has it.
const terminated = 1 << 15

// ReadPostcodes reads a file of the ONS Postcode Directory (or the National Statistics Postcode Lookup, which has the same
// columns), row by row. progress, unless nil, hears of the rows read. The error is of kind Invalid and says what to do.
func ReadPostcodes(name string, data io.Reader, progress func(read int64)) (*Postcodes, error) {
	p := &Postcodes{
		placeAt: make(map[postcodePlace]uint16), districts: make(map[string]*[units]uint16),
	}
	if progress == nil {
		progress = func(int64) {}
	}
	if err := p.scan(data, progress); err != nil {
		return nil, (&job{req: Request{Name: name}}).refuse(err)
	}
	progress(p.read)
	return p, nil
}

func (p *Postcodes) scan(data io.Reader, progress func(int64)) error {
	buffered := bufio.NewReaderSize(data, 1<<20)
	beginning, _ := buffered.Peek(1 << 10) // shorter where the file is
	if err := notText(beginning, encodingRemedy(ONSPD)); err != nil {
		return err
	}
	_, _ = buffered.Discard(len(beginning) - len(trimMark(beginning)))
	r := csv.NewReader(buffered)
	r.ReuseRecord, r.FieldsPerRecord = true, -1
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("it has no line of column names: import the CSV file of the ONS Postcode Directory: %w", reading(err))
	}
	width := len(header)
	at, err := findPostcodeColumns(header)
	if err != nil {
		return err
	}
	p.header = slices.Clone(header)
	whole := true
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("it cannot be read as CSV after row %d: export it again: %w", p.read, reading(err))
		}
		p.read++
		if p.read%(100*progressEvery) == 0 {
			progress(p.read)
		}
		if whole = len(cells) == width; !whole {
			p.fault(r, -1, "has another number of columns than the first line: download the file again")
			continue
		}
		p.row(r, at, cells)
	}
	switch {
	case p.read == 0:
		return errors.New("it has column names and no rows: download it again")
	case !whole:
		return errors.New("the last row breaks off: the file was cut short; download it again")
	case p.bad > max(guardRows-1, p.read/20):
		first := p.faults[0]
		return fmt.Errorf("%d of %d rows are bad, first in line %d, column %s (%s): its columns may be of another form", p.bad, p.read, first.GetLine(), first.GetColumn(), first.GetMessage())
	case len(p.districts) == 0:
		return errors.New("no postcode in it lies in a local authority: check that it is the ONS Postcode Directory")
	}
	return nil
}

// reading keeps values out of an error: the CSV reader's own name the place alone.
func reading(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("line %d: %w", parse.Line, parse.Err)
	}
	return err
}

func findPostcodeColumns(header []string) (map[string]int, error) {
	at := make(map[string]int)
	for column, patterns := range postcodeColumns() {
		for _, pattern := range patterns {
			i := slices.IndexFunc(header, func(name string) bool { return pattern.MatchString(strings.ToLower(strings.TrimSpace(name))) })
			if i >= 0 {
				at[column] = i
				break
			}
		}
	}
	for _, needed := range []struct{ column, names string }{
		{"postcode", "pcds, pcd7 or pcd"}, {"doterm", "doterm"}, {"authority", "lad25cd (of any year), laua or oslaua"},
	} {
		if _, ok := at[needed.column]; !ok {
			return nil, fmt.Errorf("it has no column %s: import the CSV file of the ONS Postcode Directory as published", needed.names)
		}
	}
	return at, nil
}

// row takes one postcode. One that lies in no local authority (the Channel Islands, the Isle of Man, a postcode that
// ended before it was placed) is passed over.
func (p *Postcodes) row(r *csv.Reader, at map[string]int, cells []string) {
	cell := func(column string) string {
		i, ok := at[column]
		if !ok {
			return ""
		}
		return strings.TrimSpace(cells[i])
	}
	district, unit, ok := directory.SplitPostcode(cell("postcode"))
	if !ok {
		p.fault(r, at["postcode"], "is not a full postcode: check that the columns are right")
		return
	}
	authority := cell("authority")
	if authority == "" || strings.HasPrefix(authority, "L9") || strings.HasPrefix(authority, "M8") || pseudo(authority) {
		return
	}
	if _, err := notice.ParseArea(authority); err != nil {
		p.fault(r, at["authority"], err.Error()+": check that the columns are right")
		return
	}
	// Where there are two tiers children's services are the county's.
	if county := cell("county"); strings.HasPrefix(county, "E10") && !pseudo(county) {
		authority = county
	}
	place := postcodePlace{authority: authority, police: realArea(cell("police")), health: realArea(cell("icb"))}
	if place.health == "" {
		place.health = realArea(cell("sicbl"))
	}
	if _, known := p.placeAt[place]; !known && len(p.places) >= mostPlaces {
		p.fault(r, at["authority"], "is one of more areas than there are in the country: check that the columns are right")
		return
	}
	p.put(district, unit, place, cell("doterm") != "")
}

// mostPlaces is how many different places a file may name: the country has under two thousand. More are shifted columns.
const mostPlaces = terminated - 2

// put keeps where a postcode lies. Of two rows of one postcode the one in use counts, then the later.
func (p *Postcodes) put(district string, unit int, place postcodePlace, ended bool) {
	i, ok := p.placeAt[place]
	if !ok {
		// What is kept must not hold on to the row of the file that it was cut from.
		place = postcodePlace{strings.Clone(place.authority), strings.Clone(place.health), strings.Clone(place.police)}
		i = uint16(len(p.places)) + 1
		p.places, p.placeAt[place] = append(p.places, place), i
	}
	all := p.districts[district]
	if all == nil {
		all = new([units]uint16)
		p.districts[strings.Clone(district)] = all
	}
	now := all[unit]
	if ended && now != 0 && now&terminated == 0 {
		return
	}
	if ended {
		i |= terminated
	}
	all[unit] = i
}

func (p *Postcodes) fault(r *csv.Reader, column int, message string) {
	p.bad++
	if len(p.faults) < onspdFaults {
		n, _ := r.FieldPos(0)
		name := ""
		if column >= 0 {
			name = p.header[column]
		}
		p.faults = append(p.faults, &directoryv1.RowFault{Line: int64(n), Column: name, Message: message})
	}
}

// pseudo says whether a GSS code stands for no area.
func pseudo(gss string) bool {
	return strings.HasSuffix(gss, "99999999") || strings.HasSuffix(gss, "9999999")
}

func realArea(gss string) string {
	if _, err := notice.ParseArea(gss); err != nil || pseudo(gss) {
		return ""
	}
	return gss
}

// Plan compares the postcodes with the current directory. A file stands for the postcode areas (the letters that postcodes
// begin with) that are in it. Moving more than a tenth of the postcodes that the directory has there takes force.
func (p *Postcodes) Plan(req Request, current *directory.Snapshot) (*Result, error) {
	j := newJob(req, current, nil)
	j.res.Read, j.res.Faults = p.read, p.faults
	for district, all := range p.districts {
		row := p.district(district, all)
		j.want[RowKey{directory.KindPostcode, district}] = directory.PostcodeRow(row)
	}
	letters := make(map[string]bool)
	for district := range p.districts {
		letters[lettersOf(district)] = true
	}
	for _, row := range current.Rows(directory.KindPostcode) {
		before := row.GetPostcode()
		if !letters[lettersOf(before.GetDistrict())] {
			continue
		}
		key := RowKey{directory.KindPostcode, before.GetDistrict()}
		if _, ok := j.want[key]; !ok && len(p.faults) == 0 {
			j.drop[key] = true
		}
		total, moved, err := p.compare(before)
		if err != nil {
			return nil, notice.Fault(notice.Invalid, "importer.Plan", err)
		}
		j.total += total
		j.moved += int64(moved)
	}
	if p.bad > int64(len(p.faults)) {
		j.change(fmt.Sprintf("%d bad rows in all; the first %d are listed", p.bad, len(p.faults)))
	}
	if err := j.diff(); err != nil {
		return nil, err
	}
	return j.res, nil
}

// compare counts a district's postcodes as the directory has them, and those that now lie in another authority or nowhere.
func (p *Postcodes) compare(before *directoryv1.PostcodeDistrict) (total, moved int, err error) {
	all := p.districts[before.GetDistrict()]
	for _, g := range before.GetGroups() {
		had, err := directory.UnpackUnits(g.GetUnits())
		if err != nil {
			return 0, 0, err
		}
		for _, unit := range had {
			total++
			if all == nil || all[unit] == 0 || p.places[all[unit]&^terminated-1].authority != g.GetAuthority() {
				moved++
			}
		}
	}
	return total, moved, nil
}

// district packs the postcodes of one district.
func (p *Postcodes) district(name string, all *[units]uint16) *directoryv1.PostcodeDistrict {
	byPlace := make(map[uint16][]int)
	for unit, i := range all {
		if i != 0 {
			byPlace[i&^terminated] = append(byPlace[i&^terminated], unit)
		}
	}
	d := &directoryv1.PostcodeDistrict{District: name}
	for i, in := range byPlace {
		place := p.places[i-1]
		d.Groups = append(d.Groups, &directoryv1.PostcodeGroup{
			Authority: place.authority, HealthArea: place.health, PoliceArea: place.police, Units: directory.PackUnits(in),
		})
	}
	directory.SortGroups(d.Groups)
	return d
}

func lettersOf(district string) string {
	return strings.TrimRightFunc(district[:min(2, len(district))], func(r rune) bool { return r < 'A' })
}

// readPostcodes is the whole import of a file of postcodes.
func readPostcodes(req Request, data io.Reader, current *directory.Snapshot, progress func(int64)) (*Result, error) {
	p, err := ReadPostcodes(req.Name, data, progress)
	if err != nil {
		return nil, err
	}
	return p.Plan(req, current)
}
