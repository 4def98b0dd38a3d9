package text

import (
	"fmt"
	"io"

	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Calibration writes how often a comparison was wrong: in sentences, and as a
// table of the effects.
func Calibration(w io.Writer, o Options, c *reports.Calibration) error {
	return onPage(w, o, func(p *page) {
		for _, sentence := range c.Answer() {
			p.wrap(clean(sentence), "")
		}
		if effects := c.Document.Effects; len(effects) > 0 {
			p.line("")
			p.leftOut(p.table(calibrationColumns(effects)))
		}
		p.notes(c.Notes)
	})
}

func calibrationColumns(effects []calibration.Effect) []column {
	cells := func(of func(*calibration.Effect) string) []string { return cellsOf(effects, of) }
	return []column{
		{head: "slowed by", cells: cells(func(e *calibration.Effect) string { return share(&e.Effect) })},
		{head: "comparisons", cells: cells(func(e *calibration.Effect) string { return units.FormatCount(e.Comparisons) })},
		{head: "regressed", cells: cells(func(e *calibration.Effect) string { return units.FormatCount(e.Alarms()) })},
		{head: "share", keep: 8, cells: cells(func(e *calibration.Effect) string { return units.FormatShare(e.Share) })},
		{head: "limit", cells: cells(limit)},
		{head: "kept", left: true, cells: cells(promised)},
		{head: "others", left: true, keep: 2, cells: cells(reports.Others)},
		{head: "injected", keep: 5, cells: cells(func(e *calibration.Effect) string { return share(e.Injected) })},
		{head: "measured", keep: 6, cells: cells(func(e *calibration.Effect) string { return change(e.Change) })},
		{head: "pairs", keep: 7, cells: cells(func(e *calibration.Effect) string { return fmt.Sprintf("%d, most %d", e.Pairs, e.Most) })},
		{head: "takes", keep: 4, cells: cells(func(e *calibration.Effect) string { return units.FormatDuration(e.Length) })},
		{head: "load", keep: 3, cells: cells(func(e *calibration.Effect) string { return fmt.Sprintf("%.1f to %.1f", e.Load[0], e.Load[1]) })},
	}
}

// limit is the side of the share that counts.
func limit(e *calibration.Effect) string {
	if e.Effect == 0 {
		return "at most " + units.FormatShare(e.AtMost)
	}
	return "at least " + units.FormatShare(e.AtLeast)
}

func promised(e *calibration.Effect) string {
	switch {
	case e.Allowed == nil && e.Needed == nil:
		return none
	case e.Held:
		return "yes"
	}
	return "NO"
}

func change(v *float64) string {
	if v == nil {
		return none
	}
	return fmt.Sprintf("%+.1f%%", 100**v)
}
