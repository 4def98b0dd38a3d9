package reports

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// KeepWarm is the cheapest way to hold the target, in a sentence.
func KeepWarm(k *study.KeepWarm) string {
	target, share := units.FormatShare(k.Target), units.FormatShare(k.Share)
	for _, w := range k.Ways {
		switch {
		case w.Name != k.Held:
		case w.Avoided == 0 && w.Extra == 0:
			return fmt.Sprintf("%s of requests start cold with nothing done, within %s: nothing is to be paid for.", share, target)
		default:
			return fmt.Sprintf("The cheapest way to hold cold starts within %s of requests is %s: %v a month on %s, %s (%s cold with nothing).",
				target, w.Name, w.Month, k.Option, beyond(w.Extra), share)
		}
	}
	return fmt.Sprintf("No way that was tried holds cold starts within %s of requests (%s with nothing).", target, share)
}

// beyond is what a way costs more than nothing, or less.
func beyond(extra units.Money) string {
	if extra < 0 {
		return fmt.Sprintf("%v less than with nothing", -extra)
	}
	return fmt.Sprintf("%v more than nothing", extra)
}

// KeepWarmNotes are what a reader of the table must know.
func KeepWarmNotes(k *study.KeepWarm) []string {
	var notes []string
	if k.PaysAt > 0 {
		notes = append(notes, fmt.Sprintf("An instance kept ready pays for itself where it is in use for more than %s of its time.", units.FormatShare(k.PaysAt)))
	}
	if k.Unable != "" {
		notes = append(notes, k.Unable+".")
	}
	notes = append(notes, "Cold starts are simulated; prices without a free tier unless asked for.")
	for _, n := range k.Notes {
		notes = append(notes, n+".")
	}
	for _, s := range k.Sources {
		notes = append(notes, "Prices: "+s+".")
	}
	return notes
}
