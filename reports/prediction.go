package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// predictionOf is what is predicted by a run, with how far chance may have it
// off, beside what a run has measured of the same requests, where there is one.
func predictionOf(s *study.Simulation) (t Table, ok bool) {
	if s.Prediction == nil {
		return t, false
	}
	measured := make(map[string]*study.Measured)
	for i := range s.Measured {
		measured[s.Measured[i].Function] = &s.Measured[i]
	}
	var rows predictions
	for _, f := range s.Prediction.Functions {
		rows.function(&f, measured[f.Function], len(s.Changed) == 0)
	}
	cells := func(of func(*prediction) string) []string { return Cells(rows, of) }
	t.Columns = []Column{
		{Head: "function", Left: true, Cells: cells(func(p *prediction) string { return p.function })},
		{Head: "", Left: true, Cells: cells(func(p *prediction) string { return p.figure })},
		{Head: "predicted", Cells: cells(func(p *prediction) string { return p.show(p.Value) })},
		{Head: "from", Cells: cells(func(p *prediction) string { return p.show(p.Low) })},
		{Head: "to", Cells: cells(func(p *prediction) string { return p.show(p.High) })},
	}
	t.Title = "Predicted"
	if len(s.Measured) > 0 {
		t.Title = "Predicted, and measured by the run"
		t.Columns = append(t.Columns,
			Column{Head: "measured", Cells: cells(func(p *prediction) string { return p.seen })},
			Column{Head: "", Left: true, Cells: cells(func(p *prediction) string { return p.verdict })})
	}
	t.Foot = predictionFoot(s, rows)
	return t, true
}

func predictionFoot(s *study.Simulation, rows predictions) string {
	beside := ""
	if s.Beside > 0 {
		beside = fmt.Sprintf(", with what the requests of the run took beside the instance, in network, front end and load generator (median %s)", units.FormatDuration(s.Beside))
	}
	foot := fmt.Sprintf("From and to hold %s of runs by chance, if the model holds: they are the range of %d simulations of the same requests, with the run's requests drawn anew. "+
		"The run's requests are followed in blocks of a second and more, from anywhere in it: what slowed services, starts and the way to them together does so here, too; "+
		"that they differ by payload or phase is not modelled. "+
		"Latencies are of answers%s. "+
		"%s.",
		units.FormatShare(s.Prediction.Confidence), s.Prediction.Runs, beside, crowded(s.Prediction.Crowding))
	if slices.ContainsFunc(rows, func(p prediction) bool { return p.verdict != "" }) {
		foot += " What lies outside is not chance alone."
	}
	if len(s.Changed) > 0 {
		foot += " The run was measured without " + strings.Join(s.Changed, ", ") + ": that its figures lie elsewhere tells nothing of the prediction."
	}
	return foot
}

// crowded says what the model has of starts that slow each other.
func crowded(list []study.Crowding) string {
	if len(list) == 0 {
		return "In the model starts do not slow each other: where a crowd starts many instances at once on few processors, the measured p99 lies higher"
	}
	var told []string
	for _, c := range list {
		told = append(told, fmt.Sprintf("%s in %s alone and %s beside others (medians of %s and %s)", c.Function,
			units.FormatDuration(c.Alone), units.FormatDuration(c.Beside), units.FormatCount(c.NAlone), units.FormatCount(c.NBeside)))
	}
	return "A function's starts slow each other as they did in the run, however many they are: " + strings.Join(told, ", ") + "; those of different functions do not"
}

// prediction is one figure of one function.
type prediction struct {
	function, figure string
	study.Range
	show    func(int64) string
	seen    string // what was measured; "-" for nothing
	verdict string // "outside" of the range; "" within, or where nothing was measured
}

type predictions []prediction

// function adds the figures that there are of one; m is nil where none was
// measured. They are judged where both are of the same policy.
func (p *predictions) function(f *study.Foreseen, m *study.Measured, judged bool) {
	name := f.Function
	if name == "" {
		name = "all"
	}
	add := func(figure string, r study.Range, show func(int64) string, seen int64, known bool) {
		row := prediction{function: name, figure: figure, Range: r, show: show, seen: "-"}
		if known {
			if row.seen = show(seen); judged && !r.Holds(seen) {
				row.verdict = "outside"
			}
		}
		*p = append(*p, row)
		name = ""
	}
	if m == nil {
		m = &study.Measured{}
	}
	requests := int64(f.Requests)
	add("requests", study.Range{Value: requests, Low: requests, High: requests}, units.FormatCount[int64], int64(m.Requests), m.Requests > 0)
	add("cold", f.Cold, units.FormatCount[int64], int64(m.Cold), m.Requests > 0)
	duration := func(ns int64) string { return units.FormatDuration(time.Duration(ns)) }
	for _, q := range []struct {
		name      string
		share     float64
		predicted *study.Range
		measured  time.Duration
	}{{"p50", .5, f.P50, m.P50}, {"p99", .99, f.P99, m.P99}} {
		if q.predicted != nil {
			add(q.name, *q.predicted, duration, int64(q.measured), m.N >= stats.MinSamples(q.share, .95))
		}
	}
}
