package rpc

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// markBytes is enough of a keyed digest that nobody finds one by trying.
const markBytes = 12

// cursors makes and reads the cursors of one agency's inbox. A cursor is a place in the inbox with a mark that this inbox
// alone gives, and only while the same lies there up to it: one of another agency is refused, and so is one from before a
// backup was restored, behind which other things lie by now.
type cursors struct {
	key    notice.Key
	agency notice.AgencyID
}

// mark is of the item and of everything before it: behind a restored backup the same item may lie at the same place, with
// something else before it that the agency has not seen.
func (c cursors) mark(place int, id string, trail uint64) []byte {
	return c.key.Digest("inbox cursor", []byte(c.agency), []byte(strconv.Itoa(place)), []byte(id), binary.BigEndian.AppendUint64(nil, trail))[:markBytes]
}

// cursor is that of the item at a place, counted from 1.
func (c cursors) cursor(place int, item string, trail uint64) string {
	return base64.RawURLEncoding.EncodeToString(append(binary.AppendUvarint(nil, uint64(place)), c.mark(place, item, trail)...))
}

// placeOf is the place that a cursor names, true or not; 0 where it names none.
func placeOf(cursor string) uint64 {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0
	}
	place, n := binary.Uvarint(raw)
	if n <= 0 {
		return 0
	}
	return place
}

// place reads a cursor; the empty one is the beginning. It is held against the inbox as it lies there.
func (c cursors) place(cursor string, state *ledger.State) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		place, n := binary.Uvarint(raw)
		if n > 0 && place > 0 && place <= uint64(state.InboxLen(c.agency)) {
			item := state.Inbox(c.agency, int(place)-1, 1)[0]
			if string(raw[n:]) == string(c.mark(int(place), item.ID(), item.Trail)) {
				return int(place), nil
			}
		}
	}
	return 0, notice.Faultf(notice.Precondition, "rpc.cursor",
		"the cursor is none of this inbox as it is now: give one that it gave you, or begin anew without one; what you have already you know by its id")
}
