package returns

import (
	"math"
	"strings"
	"testing"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const domain = "returns.signalbox.example"

func TestAnAddressNamesOneAttemptAndCannotBeForged(t *testing.T) {
	key, other := notice.Key{1}, notice.Key{2}
	good := Address(key, domain, noticeID, 3)
	for name, tc := range map[string]struct {
		address string
		ok      bool
	}{
		"as it was made":                {good, true},
		"in capitals":                   {strings.ToUpper(good), true},
		"of another key":                {Address(other, domain, noticeID, 3), false},
		"of another attempt":            {strings.Replace(good, ".3.", ".4.", 1), false},
		"of another notice":             {strings.Replace(good, noticeID, "1"+noticeID[1:], 1), false},
		"an attempt in another writing": {strings.Replace(good, ".3.", ".03.", 1), false},
		"of another domain":             {Address(key, "elsewhere.example", noticeID, 3), false},
		"of no domain":                  {strings.TrimSuffix(good, "@"+domain), false},
		"without the tag":               {"returns@" + domain, false},
		"of somebody else":              {"postmaster@" + domain, false},
		"with a host to relay by":       {strings.Replace(good, "@", "%elsewhere.example@", 1), false},
		"with two hosts":                {good + "@elsewhere.example", false},
		"cut short":                     {strings.Replace(good, "@", "", 1)[:40] + "@" + domain, false},
		"too long":                      {"returns+" + strings.Repeat("0", 70) + ".1.0@" + domain, false},
		"nothing":                       {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			id, attempt, ok := ParseAddress(key, domain, tc.address)
			if ok != tc.ok || ok && (id != noticeID || attempt != 3) {
				t.Errorf("%q %d %v", id, attempt, ok)
			}
		})
	}
}

func TestTheLongestAddressFitsTheMailSystems(t *testing.T) {
	key := notice.Key{1}
	address := Address(key, domain, key.ID("notice", "n"), math.MaxUint32)
	if local, _, _ := strings.Cut(address, "@"); len(local) > 64 {
		t.Errorf("%d characters before the @", len(local))
	}
	if _, attempt, ok := ParseAddress(key, domain, address); !ok || attempt != math.MaxUint32 {
		t.Error("it cannot be read")
	}
}
