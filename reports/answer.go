package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// mostFunctions get a sentence of their own; the table has the rest.
const mostFunctions = 6

// Answer is what the run has to say, in sentences: whether its figures may be
// used, then for each function what a caller waits cold and warm, then how
// often it starts cold. It says nothing that the sample cannot support.
func Answer(run *summary.Run) []string {
	var out []string
	if !run.Valid {
		out = append(out, "These figures cannot be used: "+strings.Join(run.Invalid, "; ")+".")
	}
	functions := functionsOf(run)
	if len(functions) == 0 {
		return append(out, "No request was sent, so there is nothing to tell.")
	}
	for i, f := range functions {
		if i == mostFunctions {
			out = append(out, fmt.Sprintf("The table has the other %d functions.", len(functions)-i))
			break
		}
		out = append(out, waits(run, f)+coldByPhase(run, f))
	}
	return append(out, coldShare(run))
}

func functionsOf(run *summary.Run) []string {
	var out []string
	seen := map[string]bool{}
	for _, g := range run.Groups {
		if !seen[g.Function] {
			seen[g.Function] = true
			out = append(out, g.Function)
		}
	}
	return out
}

// waits is the sentence of one function. Cold and warm come from one phase if
// one can support both; where only different phases can, they are named.
func waits(run *summary.Run, function string) string {
	cold, warm := pair(run, function)
	switch {
	case cold != nil && warm != nil && cold.Phase == warm.Phase && severalPhases(run):
		return fmt.Sprintf("In %s, a caller of %s waits %s when it starts cold and %s when it is warm: %s.",
			cold.Phase, function, median(cold, true), median(warm, false), times(*cold.Latency.P50, *warm.Latency.P50))
	case cold != nil && warm != nil:
		return fmt.Sprintf("A caller of %s waits %s when it starts cold%s and %s when it is warm%s: %s.",
			function, median(cold, true), where(run, cold), median(warm, false), where(run, warm), times(*cold.Latency.P50, *warm.Latency.P50))
	case cold != nil:
		return fmt.Sprintf("A caller of %s waits %s when it starts cold%s; %s.",
			function, median(cold, true), where(run, cold), tooFew(run, function, sample.Warm))
	case warm != nil:
		return fmt.Sprintf("A caller of %s waits %s when it is warm%s; %s.",
			function, median(warm, true), where(run, warm), tooFew(run, function, sample.Cold))
	}
	if g := supported(run, function, sample.Unknown); g != nil {
		return fmt.Sprintf("A caller of %s waits %s%s; how its requests started is unknown.", function, median(g, true), where(run, g))
	}
	return fmt.Sprintf("%s has no median to tell: %s, and %s.", function,
		tooFew(run, function, sample.Cold), tooFew(run, function, sample.Warm))
}

// pair picks the cold and the warm group to compare: of the phase that has the
// most warm requests among those that support both medians, because it is the
// same traffic; failing that, the first cold and the first warm group that do.
func pair(run *summary.Run, function string) (cold, warm *summary.Group) {
	for _, p := range run.Phases {
		c, w := find(run, p.Name, function, sample.Cold), find(run, p.Name, function, sample.Warm)
		if c == nil || w == nil || c.Latency.P50 == nil || w.Latency.P50 == nil {
			continue
		}
		if warm == nil || w.N > warm.N {
			cold, warm = c, w
		}
	}
	if cold != nil {
		return cold, warm
	}
	return supported(run, function, sample.Cold), supported(run, function, sample.Warm)
}

// coldByPhase tells the phases apart where several support a cold median: a
// start in a spike is not the start of an idle function.
func coldByPhase(run *summary.Run, function string) string {
	var parts []string
	for i := range run.Groups {
		if g := &run.Groups[i]; g.Function == function && g.Start == sample.Cold.String() && g.Latency.P50 != nil {
			parts = append(parts, nanos(*g.Latency.P50)+" in "+g.Phase)
		}
	}
	if len(parts) < 2 {
		return ""
	}
	return " Cold by phase: " + strings.Join(parts, ", ") + "."
}

func find(run *summary.Run, phase, function string, start sample.Start) *summary.Group {
	for i := range run.Groups {
		if g := &run.Groups[i]; g.Phase == phase && g.Function == function && g.Start == start.String() {
			return g
		}
	}
	return nil
}

// supported is the first group of a function and start kind that has a median;
// nil for none.
func supported(run *summary.Run, function string, start sample.Start) *summary.Group {
	for i := range run.Groups {
		if g := &run.Groups[i]; g.Function == function && g.Start == start.String() && g.Latency.P50 != nil {
			return g
		}
	}
	return nil
}

func median(g *summary.Group, whole bool) string {
	s := nanos(*g.Latency.P50)
	if whole {
		return fmt.Sprintf("%s (p50, 95%% interval %s)", s, Interval(g.Interval.P50))
	}
	return fmt.Sprintf("%s (%s)", s, Interval(g.Interval.P50))
}

// Interval writes an interval of nanoseconds, with its unit once if both ends
// have the same; "-" for none.
func Interval(v *[2]int64) string {
	if v == nil {
		return "-"
	}
	low, high := nanos(v[0]), nanos(v[1])
	l, unit, ok := strings.Cut(low, " ")
	if _, u, both := strings.Cut(high, " "); ok && both && u == unit {
		return l + " to " + high
	}
	return low + " to " + high
}

// where names the group's phase in a run that has several.
func where(run *summary.Run, g *summary.Group) string {
	if !severalPhases(run) {
		return ""
	}
	return " in " + g.Phase
}

func severalPhases(run *summary.Run) bool {
	n := 0
	for _, p := range run.Phases {
		if !p.Warmup {
			n++
		}
	}
	return n > 1
}

func times(cold, warm int64) string {
	if warm <= 0 {
		return "the warm wait is too short to compare"
	}
	ratio := float64(cold) / float64(warm)
	switch {
	case ratio >= 10:
		return fmt.Sprintf("%s times as long", units.FormatCount(int64(ratio+.5)))
	case ratio >= 1.05:
		return fmt.Sprintf("%.1f times as long", ratio)
	default:
		return fmt.Sprintf("%.2f times as long, no slower cold than warm", ratio)
	}
}

// tooFew says why a start kind has no median.
func tooFew(run *summary.Run, function string, start sample.Start) string {
	var n uint64
	for _, g := range run.Groups {
		if g.Function == function && g.Start == start.String() {
			n += g.N - g.Errors
		}
	}
	switch n {
	case 0:
		return fmt.Sprintf("no answered request is known to be %s", start)
	case 1:
		return fmt.Sprintf("one answered request was %s, too few for a median", start)
	default:
		return fmt.Sprintf("%d answered requests were %s, too few in any one phase for a median", n, start)
	}
}

func coldShare(run *summary.Run) string {
	if run.ColdShare == nil {
		return "No request carries evidence of how it started, so there is no cold share."
	}
	s := fmt.Sprintf("%s of requests started cold (%s of %s", units.FormatShare(*run.ColdShare), units.FormatCount(run.Cold), units.FormatCount(run.Known))
	if run.Unknown > 0 {
		s += fmt.Sprintf("; %s more without evidence", units.FormatCount(run.Unknown))
	}
	return s + ")."
}

func nanos(ns int64) string { return units.FormatDuration(time.Duration(ns)) }

// Doubt is a warning in words, with what it is about.
func Doubt(w summary.Warning) string {
	switch {
	case w.Group != "" && w.Phase != "":
		return w.Group + " in " + w.Phase + ": " + w.Message
	case w.Group != "" || w.Phase != "":
		return w.Group + w.Phase + ": " + w.Message
	}
	return w.Message
}
