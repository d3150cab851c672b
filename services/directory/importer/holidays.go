package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// division is one part of GOV.UK's bank-holidays.json.
type division struct {
	Division string `json:"division"`
	Events   []struct {
		Date string `json:"date"`
	} `json:"events"`
}

// readBankHolidays reads GOV.UK's file. Three short lists that everything else counts by: one fault refuses the file.
func (j *job) readBankHolidays(text string) error {
	var file map[string]division
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := dec.Decode(&file); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("line %d is not JSON: download bank-holidays.json from GOV.UK again", lineAt([]byte(text), min(int(syntax.Offset), len(text))))
		}
		return errors.New("it is not an object of divisions with events, or was cut short: download bank-holidays.json from GOV.UK again")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows after its end: download bank-holidays.json from GOV.UK again")
	}
	for _, name := range []string{directory.EnglandAndWales, directory.Scotland, directory.NorthernIreland} {
		d, ok := file[name]
		if !ok || d.Division != name || len(d.Events) == 0 {
			return fmt.Errorf("the division %s is missing or has no events: download bank-holidays.json from GOV.UK again", name)
		}
		var dates []string
		for i, e := range d.Events {
			j.res.Read++
			if _, err := directory.ParseDate(e.Date); err != nil {
				return fmt.Errorf("%s.events[%d].date: %w", name, i, err)
			}
			dates = append(dates, e.Date)
		}
		slices.Sort(dates)
		key := RowKey{directory.KindBankHolidays, name}
		if row, ok := j.current.Row(key.Kind, key.ID); ok {
			for _, old := range row.GetBankHolidays().GetDates() {
				if old < dates[0] {
					dates = append(dates, old)
				} else if !slices.Contains(dates, old) {
					j.moved++
				}
			}
			j.total += len(row.GetBankHolidays().GetDates())
		}
		slices.Sort(dates)
		j.want[key] = directory.BankHolidaysRow(&directoryv1.BankHolidays{Division: name, Dates: slices.Compact(dates)})
	}
	if len(file) > 3 {
		return errors.New("it has divisions that this version does not know: tell the maintainers, and import the three known ones")
	}
	return nil
}
