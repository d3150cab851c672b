package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/directory/importer"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// offlineDirectory makes a directory of a folder of files, in the order in which the formats refer to each other.
// Without the folder it is empty. Bad rows are printed and fail it: a test on half a directory proves nothing.
func offlineDirectory(out io.Writer, folder string, now time.Time) (*directory.Snapshot, error) {
	const op = "cli.offlineDirectory"
	entries, err := os.ReadDir(folder)
	if err != nil && !isNoFolder(err) {
		return nil, notice.Faultf(notice.Invalid, op, "the folder of the directory cannot be read: %w", err)
	}
	byFormat := map[string][]string{}
	for _, entry := range entries {
		format, _ := splitName(entry.Name())
		if !slices.Contains(importer.Formats(), format) || entry.IsDir() {
			return nil, notice.Faultf(notice.Invalid, op, "%s: the name says no format; name it after one of %s, such as areas.csv or pupil-roll.ashmere-roll.csv",
				filepath.Join(folder, entry.Name()), strings.Join(importer.Formats(), ", "))
		}
		byFormat[format] = append(byFormat[format], entry.Name())
	}
	d := offline{rows: map[importer.RowKey]*directoryv1.Row{}, now: now, out: out}
	if err := d.build(); err != nil {
		return nil, err
	}
	for _, format := range importer.Formats() {
		for _, name := range byFormat[format] {
			if err := d.add(format, filepath.Join(folder, name)); err != nil {
				return nil, err
			}
		}
	}
	if d.bad {
		return nil, errReported
	}
	if err := d.admit(); err != nil {
		return nil, err
	}
	return d.snapshot, nil
}

// offline is a directory that lives in memory alone.
type offline struct {
	rows     map[importer.RowKey]*directoryv1.Row
	snapshot *directory.Snapshot
	now      time.Time
	out      io.Writer
	bad      bool // rows were left out
}

func (d *offline) build() error {
	var err error
	d.snapshot, err = directory.Build(1, slices.Collect(maps.Values(d.rows)))
	return err
}

// admit gives access to the agencies that subscribe: no file says which have it.
func (d *offline) admit() error {
	for _, row := range slices.Collect(maps.Values(d.rows)) {
		if s := row.GetSubscription(); s != nil {
			agency := &directoryv1.Row{Row: &directoryv1.Row_Agency{Agency: &directoryv1.Agency{Id: s.GetAgency(), Organisation: s.GetOrganisation()}}}
			kind, id := directory.KeyOf(agency)
			d.rows[importer.RowKey{Kind: kind, ID: id}] = agency
		}
	}
	return d.build()
}

func (d *offline) add(format, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return notice.Faultf(notice.NotFound, "cli.offlineDirectory", "%w", err)
	}
	defer f.Close()
	_, source := splitName(filepath.Base(path))
	result, err := importer.Plan(importer.Request{Format: format, Name: path, Source: source, Now: d.now}, f, d.snapshot, nil)
	if err != nil {
		return err
	}
	for _, fault := range result.Faults {
		d.bad = true
		fmt.Fprintf(d.out, "%s: %s\n", path, rowFault(fault))
	}
	for _, row := range result.Puts {
		kind, id := directory.KeyOf(row)
		d.rows[importer.RowKey{Kind: kind, ID: id}] = row
	}
	for _, key := range result.Deletes {
		delete(d.rows, key)
	}
	return d.build()
}
