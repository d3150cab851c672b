package app

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// reportedHeader goes with an event that was reported by hand, in its agency's stream: which contact signed in, and where
// the vault has the name of who typed it. So the event and the note of its author are durable together.
const reportedHeader = "Signalbox-Reported"

// reportedBy is who reported by hand.
type reportedBy = engine.Reported

// reportSeal is the key of such notes. Agencies write headers into their own streams too: a note that is not sealed with
// it says nothing.
type reportSeal notice.Key

func newReportSeal(key notice.Key) reportSeal {
	var derived reportSeal
	copy(derived[:], key.Digest("reported"))
	return derived
}

// note is the header of an event.
func (k reportSeal) note(agency notice.AgencyID, event string, by reportedBy) string {
	return strings.Join([]string{
		base64.RawURLEncoding.EncodeToString([]byte(by.Contact)), strconv.FormatUint(by.Statement, 10), k.mac(agency, event, by),
	}, ".")
}

func (k reportSeal) mac(agency notice.AgencyID, event string, by reportedBy) string {
	return hex.EncodeToString(notice.Key(k).Digest("note", []byte(agency), []byte(event), []byte(by.Contact), []byte(strconv.FormatUint(by.Statement, 10))))
}

// read is who reported the event of a message, or nobody.
func (k reportSeal) read(agency notice.AgencyID, event string, header intake.Header) reportedBy {
	for _, note := range header[reportedHeader] {
		parts := strings.Split(note, ".")
		if len(parts) != 3 {
			continue
		}
		contact, err1 := base64.RawURLEncoding.DecodeString(parts[0])
		statement, err2 := strconv.ParseUint(parts[1], 10, 64)
		by := reportedBy{Contact: string(contact), Statement: statement}
		if err1 == nil && err2 == nil && hmac.Equal([]byte(parts[2]), []byte(k.mac(agency, event, by))) {
			return by
		}
	}
	return reportedBy{}
}
