package directory

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Lies is where a postcode lies.
type Lies struct {
	Authority notice.Area // the local authority with children's services
	Health    notice.Area // the NHS area, or empty
	Police    notice.Area // the police area, or empty
}

// Postcode is where a postcode lies, however it is spaced. A postcode that the directory does not know has no answer:
// its neighbours may lie on either side of a border.
func (s *Snapshot) Postcode(code string) (Lies, bool) {
	district, unit, ok := SplitPostcode(code)
	if !ok {
		return Lies{}, false
	}
	for _, g := range s.districts[district].GetGroups() {
		if hasUnit(g.GetUnits(), unit) {
			return Lies{
				Authority: notice.Area(g.GetAuthority()), Health: notice.Area(g.GetHealthArea()), Police: notice.Area(g.GetPoliceArea()),
			}, true
		}
	}
	return Lies{}, false
}

// SplitPostcode is a postcode's district and the number of its second half, a digit and two letters.
func SplitPostcode(code string) (district string, unit int, ok bool) {
	code = FoldPostcode(code)
	if len(code) < 5 || len(code) > 7 {
		return "", 0, false
	}
	district, inward := code[:len(code)-3], code[len(code)-3:]
	digit, a, b := inward[0]-'0', inward[1]-'A', inward[2]-'A'
	if digit > 9 || a > 25 || b > 25 { // a character before the range wraps round to beyond it
		return "", 0, false
	}
	return district, (int(digit)*26+int(a))*26 + int(b), true
}

// PackUnits packs the numbers of second halves of postcodes, ascending and none twice, as PostcodeGroup keeps them.
func PackUnits(units []int) []byte {
	packed := make([]byte, 0, len(units)+len(units)/8)
	before := -1
	for _, u := range units {
		packed = binary.AppendUvarint(packed, uint64(u-before))
		before = u
	}
	return packed
}

// UnpackUnits is the reverse of PackUnits.
func UnpackUnits(packed []byte) ([]int, error) {
	var units []int
	for at := -1; len(packed) > 0; {
		step, n := binary.Uvarint(packed)
		if n <= 0 || step == 0 || step > 6760 {
			return nil, fmt.Errorf("its units cannot be read: import the postcodes again")
		}
		at += int(step)
		units, packed = append(units, at), packed[n:]
	}
	return units, nil
}

func hasUnit(packed []byte, unit int) bool {
	for at := -1; len(packed) > 0; {
		step, n := binary.Uvarint(packed)
		if n <= 0 {
			return false
		}
		if at += int(step); at >= unit {
			return at == unit
		}
		packed = packed[n:]
	}
	return false
}

// checkDistrict says whether a row of postcodes can be read.
func checkDistrict(d *directoryv1.PostcodeDistrict) error {
	for _, g := range d.GetGroups() {
		if _, err := UnpackUnits(g.GetUnits()); err != nil {
			return err
		}
	}
	return nil
}

// SortGroups puts the groups of a district in their order.
func SortGroups(groups []*directoryv1.PostcodeGroup) {
	slices.SortFunc(groups, func(a, b *directoryv1.PostcodeGroup) int {
		return cmp.Or(strings.Compare(a.GetAuthority(), b.GetAuthority()), strings.Compare(a.GetHealthArea(), b.GetHealthArea()),
			strings.Compare(a.GetPoliceArea(), b.GetPoliceArea()))
	})
}
