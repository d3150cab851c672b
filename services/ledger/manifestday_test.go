package ledger

import (
	"slices"
	"testing"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const (
	day0 = "2026-11-18"
	day3 = "2026-11-21"
)

// days are those of the tests.
func days() []string { return []string{day0, day1, day2, day3} }

// dayOf is when a day of the tests begins, in minutes.
func dayOf(day string) int64 { return dayFrom() + int64(slices.Index(days(), day)-1)*24*60 }

// corrects is a whole manifest of a day, to be compared an hour after it came, that takes the place of another where it names
// one.
func corrects(seq uint64, event, before, day string, at int64) *ledgerv1.Fact {
	f := ofDay(manifested(seq, event, 1, 1, at), day)
	f.GetManifestTaken().Supersedes = before
	return f
}

// ofDay has a manifest be of a day but the last. That of the next is expected at noon of the day after.
func ofDay(f *ledgerv1.Fact, day string) *ledgerv1.Fact {
	m, from := f.GetManifestTaken(), dayOf(day)
	m.Day, m.NextDay = day, days()[slices.Index(days(), day)+1]
	m.FromMs, m.UntilMs, m.NextUntilMs, m.NextDueMs = ms(from), ms(from+24*60), ms(from+48*60), ms(from+60*60)
	return f
}

// counts is the event that counts as the first part of a day's manifest, or nothing.
func (b *book) counts(day string) string { return b.state.Manifest("police", day).Taken[1].GetEvent() }

func TestAManifestCorrectedToAnotherDayCountsNoMoreForItsOwn(t *testing.T) {
	t.Run("what it had replaced counts again", func(t *testing.T) {
		b := newBook(t)
		b.must(0, corrects(1, "m1", "", day1, 0))
		b.must(1, corrects(2, "m2", "", day1, 1))
		b.must(2, corrects(3, "m3", "m2", day2, 2))
		if b.counts(day1) != "m1" || b.counts(day2) != "m3" {
			t.Errorf("%s counts for the day that is left, %s for the other", b.counts(day1), b.counts(day2))
		}
	})
	t.Run("a day that is left with nothing asks nobody", func(t *testing.T) {
		b := newBook(t)
		b.must(0, corrects(1, "m1", "", day1, 0))
		b.must(1, corrects(2, "m2", "m1", day2, 1))
		b.expect(61, "compare police "+day2)
		b.must(61, agreeing(day2))
		b.expect(dayOf(day3)+36*60-1, "")
		b.expect(dayOf(day3)+36*60, "compare police "+day3)
	})
	t.Run("what was asked because of it is settled at once", func(t *testing.T) {
		b := newBook(t)
		b.must(0, corrects(1, "m1", "", day1, 0))
		b.must(60, compared("t"))
		b.must(100, corrects(2, "m2", "m1", day2, 100))
		b.expect(100, "compare police "+day1)
		b.must(100, agreeing(day1, "t"))
		b.expect(160, "compare police "+day2)
	})
	t.Run("given for today instead of yesterday, today's is still expected", func(t *testing.T) {
		b := newBook(t)
		b.must(0, corrects(1, "m1", "", day1, 0))
		b.must(60, compared("t"))
		b.must(100, corrects(2, "m2", "m1", day0, 100))
		b.expect(100, "compare police "+day1)
		b.must(100, agreeing(day1, "t"))
		b.expect(160, "compare police "+day0)
		b.must(160, agreeing(day0))
		b.expect(dayOf(day1)+36*60-1, "")
		b.expect(dayOf(day1)+36*60, "compare police "+day1)
	})
	t.Run("a correction that is overtaken itself takes back what it corrects", func(t *testing.T) {
		b := newBook(t)
		b.must(0, corrects(1, "m1", "", day1, 0))
		b.must(1, corrects(2, "m3", "m2", day2, 1))
		overtaken := corrects(3, "m2", "m1", day1, 2)
		overtaken.GetManifestTaken().Overtaken = true
		b.must(2, overtaken)
		if b.counts(day1) != "" || b.counts(day2) != "m3" {
			t.Errorf("%q counts for the day that is left, %q for the other", b.counts(day1), b.counts(day2))
		}
	})
	t.Run("its withdrawal has the day that it left compared no more", func(t *testing.T) {
		b := newBook(t)
		b.must(0, corrects(1, "m1", "", day1, 0))
		b.must(60, agreeing(day1))
		b.must(100, corrects(2, "m2", "m1", day2, 100))
		b.must(100, agreeing(day1))
		b.must(101, withdrawn("m1", source(3, "w1")))
		b.expect(159, "")
	})
}
