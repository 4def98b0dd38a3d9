package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// mostFunctions get a sentence of their own; the table has the rest.
const mostFunctions = 6

// Answer is what the run has to say, in sentences: in a run that is not valid,
// first which of its figures must not be used; then that nothing was answered,
// or how much servers carry within their target, or for each function what a
// caller waits cold and warm, then how often it starts cold. It says nothing
// that the sample cannot support.
func Answer(run *summary.Run) []string {
	var out []string
	switch {
	case run.Condemned:
		out = append(out, "These figures cannot be used: "+strings.Join(run.Invalid, "; ")+".")
	case !run.Valid:
		out = append(out, limited(run.Limits()))
	}
	if run.EmulatedStarts {
		out = append(out, "Starts are emulated: they take as long as a published distribution has it, which nobody measured here.")
	}
	functions := functionsOf(run)
	if len(functions) == 0 {
		return append(out, "No request was sent, so there is nothing to tell.")
	}
	if run.NoSuccess() {
		return append(out, noSuccess(run), coldShare(run))
	}
	if carried := carries(run); len(carried) > 0 {
		return append(out, carried...)
	}
	if several := compared(run, functions); several != "" {
		return append(out, several, coldShare(run))
	}
	for i, f := range functions {
		if i == mostFunctions {
			out = append(out, theOthers(len(functions)-i))
			break
		}
		out = append(out, waits(run, f)+coldByPhase(run, f))
	}
	return append(out, coldShare(run))
}

// carries is what servers were measured to carry: their steps go beyond it on
// purpose, so a median over one of them would tell a caller nothing.
func carries(run *summary.Run) (out []string) {
	for i := range run.Capacity {
		if answer := run.Capacity[i].Answer(); answer != "" {
			out = append(out, answer)
		}
	}
	return out
}

// Kept is whether a step of a capacity kept the target.
func Kept(f capacity.Figure) string {
	switch {
	case f.Kept == nil:
		return "not known"
	case *f.Kept:
		return "held"
	}
	return "broken"
}

// Title is what a run is of. It stands over every table and on every chart.
func Title(run *summary.Run) string {
	title := run.Scenario
	if run.Platform != "" {
		title += " on " + run.Platform
	}
	if run.EmulatedStarts {
		title += " (starts emulated)"
	}
	return title
}

// StartOf is a group's start kind, and that it is emulated where it is.
func StartOf(run *summary.Run, g *summary.Group) string {
	switch g.Start {
	case sample.Cold.String(), sample.Queued.String(), sample.Prewarmed.String(), sample.Restored.String():
		if run.EmulatedStarts {
			return g.Start + ", emulated"
		}
	}
	return g.Start
}

// theOthers points to the functions that get no sentence of their own.
func theOthers(n int) string {
	if n == 1 {
		return "The table has the other function."
	}
	return fmt.Sprintf("The table has the other %d functions.", n)
}

// compared is one sentence over functions that are started in different ways,
// the shortest wait first, and "" where they are not. Each answers by the
// start kind that it is there for: the one, warm aside, of the most requests.
func compared(run *summary.Run, functions []string) string {
	if len(functions) < 2 || !slices.ContainsFunc(run.Groups, func(g summary.Group) bool { return g.Tier != run.Groups[0].Tier }) {
		return ""
	}
	var groups []*summary.Group
	var none []string
	for _, f := range functions {
		var chosen *summary.Group
		for _, start := range []sample.Start{sample.Cold, sample.Prewarmed, sample.Restored} {
			if g := best(run, f, start); g != nil && (chosen == nil || g.N-g.Errors > chosen.N-chosen.Errors) {
				chosen = g
			}
		}
		if chosen == nil {
			none = append(none, f)
			continue
		}
		groups = append(groups, chosen)
	}
	if len(groups) == 0 {
		return "" // each has its own reason
	}
	slices.SortStableFunc(groups, func(a, b *summary.Group) int { return cmp.Compare(*a.Latency.P50, *b.Latency.P50) })
	var parts []string
	for _, g := range groups {
		how := g.Start
		if g.LimitedAt("p50") {
			how += ", " + generatorLimited
		}
		parts = append(parts, fmt.Sprintf("%s for %s (%s)", nanos(*g.Latency.P50), g.Function, how))
	}
	sentence := "A caller who finds no instance ready waits (p50) " + and(parts) + "."
	if len(none) > 0 {
		sentence += " Too few requests for a median of " + and(none) + "."
	}
	return sentence
}

// noSuccess stands in place of what callers wait.
func noSuccess(run *summary.Run) string {
	if run.Sent == 1 {
		return "The one request failed: there is no latency to tell."
	}
	return fmt.Sprintf("No request was answered with success, all %s failed: there is no latency to tell.", units.FormatCount(run.Sent))
}

// mostLimited are named in the sentence; the table marks the rest.
const mostLimited = 3

// limited names the figures that must not be used.
func limited(limits []summary.Limit) string {
	var parts []string
	for i, l := range limits {
		if i == mostLimited && len(limits) > mostLimited+1 {
			parts = append(parts, fmt.Sprintf("%d more that the table marks with %s", len(limits)-i, LimitMark))
			break
		}
		name := l.Start + " " + l.Name
		if l.Start == sample.Unknown.String() {
			name = l.Name
		}
		parts = append(parts, fmt.Sprintf("%s of %s in %s (%s)", name, l.Function, l.Phase, Interval(&[2]int64{l.Service, l.Latency})))
	}
	it := "it"
	if len(limits) > 1 {
		it = "them"
	}
	return fmt.Sprintf("Do not use: %s: the load generator's own lag moves %s by more than 5%%. Every other quantile holds.", and(parts), it)
}

// LimitMark stands behind a quantile that the load generator limits.
const LimitMark = "~"

// and joins parts as a sentence does.
func and(parts []string) string {
	if n := len(parts) - 1; n > 0 {
		return strings.Join(parts[:n], ", ") + " and " + parts[n]
	}
	return strings.Join(parts, "")
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

// waits is the sentence of one function. Where cold and warm come from
// different phases, both are named.
func waits(run *summary.Run, function string) string {
	cold, warm := best(run, function, sample.Cold), best(run, function, sample.Warm)
	switch {
	case cold != nil && warm != nil && cold.Phase == warm.Phase && severalPhases(run):
		return fmt.Sprintf("In %s, a caller of %s waits %s when it starts cold and %s when it is warm: %s.",
			cold.Phase, function, median(cold, true), median(warm, false), times(cold, warm))
	case cold != nil && warm != nil:
		return fmt.Sprintf("A caller of %s waits %s when it starts cold%s and %s when it is warm%s: %s.",
			function, median(cold, true), where(run, cold), median(warm, false), where(run, warm), times(cold, warm))
	case cold != nil:
		return fmt.Sprintf("A caller of %s waits %s when it starts cold%s; %s.",
			function, median(cold, true), where(run, cold), tooFew(run, function, sample.Warm))
	case warm != nil:
		return fmt.Sprintf("A caller of %s waits %s when it is warm%s; %s.",
			function, median(warm, true), where(run, warm), tooFew(run, function, sample.Cold))
	}
	if g := best(run, function, sample.Unknown); g != nil {
		return fmt.Sprintf("A caller of %s waits %s%s; how its requests started is unknown.", function, median(g, true), where(run, g))
	}
	return fmt.Sprintf("%s has no median to tell: %s, and %s.", function,
		tooFew(run, function, sample.Cold), tooFew(run, function, sample.Warm))
}

// best is the group whose median answers for a function and start kind: one
// that the load generator does not limit, then one of an idle probe (its cold
// starts come alone, a crowd's wait for each other), then the one of the most
// requests, whose interval is the narrowest as a rule. It goes by what was
// asked, never by how the figure came out. nil where no group has a median.
func best(run *summary.Run, function string, start sample.Start) *summary.Group {
	probes := map[string]bool{}
	for _, p := range run.Phases {
		probes[p.Name] = p.Gap > 0 && start == sample.Cold
	}
	var best *summary.Group
	for i := range run.Groups {
		g := &run.Groups[i]
		if g.Function != function || g.Start != start.String() || g.Latency.P50 == nil {
			continue
		}
		if best == nil || cmp.Or(
			compareBool(best.LimitedAt("p50"), g.LimitedAt("p50")),
			compareBool(probes[g.Phase], probes[best.Phase]),
			cmp.Compare(g.N-g.Errors, best.N-best.Errors),
		) > 0 {
			best = g
		}
	}
	return best
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// coldByPhase tells the phases apart where several support a cold median: a
// start in a spike is not the start of an idle function.
func coldByPhase(run *summary.Run, function string) string {
	var parts []string
	for i := range run.Groups {
		if g := &run.Groups[i]; g.Function == function && g.Start == sample.Cold.String() && g.Latency.P50 != nil {
			part := nanos(*g.Latency.P50) + " in " + g.Phase
			if g.LimitedAt("p50") {
				part += " (" + generatorLimited + ")"
			}
			parts = append(parts, part)
		}
	}
	if len(parts) < 2 {
		return ""
	}
	return " Cold by phase: " + strings.Join(parts, ", ") + "."
}

// generatorLimited is said of a figure that must not be used.
const generatorLimited = "generator-limited"

func median(g *summary.Group, whole bool) string {
	interval := Interval(g.Interval.P50)
	if whole {
		interval = "p50, 95% interval " + interval
	}
	if g.LimitedAt("p50") {
		interval += ", " + generatorLimited
	}
	return fmt.Sprintf("%s (%s)", nanos(*g.Latency.P50), interval)
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

func times(cold, warm *summary.Group) string {
	switch {
	case cold.LimitedAt("p50") || warm.LimitedAt("p50"):
		return "not to be compared while the load generator limits them"
	case *warm.Latency.P50 <= 0:
		return "the warm wait is too short to compare"
	}
	ratio := float64(*cold.Latency.P50) / float64(*warm.Latency.P50)
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
	if run.Unknown > run.Known {
		tells := "tell how they"
		if run.Known == 1 {
			tells = "tells how it"
		}
		return fmt.Sprintf("Only %s of %s requests %s started: of those that do, %s started cold (%s of %s).", units.FormatCount(run.Known),
			units.FormatCount(run.Known+run.Unknown), tells, units.FormatShare(*run.ColdShare), units.FormatCount(run.Cold), units.FormatCount(run.Known))
	}
	s := fmt.Sprintf("%s of requests started cold (%s of %s", units.FormatShare(*run.ColdShare), units.FormatCount(run.Cold), units.FormatCount(run.Known))
	if run.Unknown > 0 {
		s += fmt.Sprintf("; %s more without evidence", units.FormatCount(run.Unknown))
	}
	return s + ")."
}

// ColdShare is a phase's share of cold starts. Where it is that of a minority, as
// most requests do not tell, it says of how many.
func ColdShare(p *summary.Phase) string {
	if p.ColdShare == nil {
		return "-"
	}
	share := units.FormatShare(*p.ColdShare)
	if p.Known < p.Sent-p.Known {
		share += " of " + units.FormatCount(p.Known)
	}
	return share
}

func nanos(ns int64) string { return units.FormatDuration(time.Duration(ns)) }

// Causes are why requests failed, in words, with what can be done about each
// where it is first told; it is not told of what was said elsewhere.
func Causes(list []summary.Cause, said ...string) (words []string) {
	for _, c := range list {
		line := cause(c)
		if c.Hint != "" && !slices.Contains(said, c.Hint) {
			line += "; " + c.Hint
			said = append(said, c.Hint)
		}
		words = append(words, line)
	}
	return words
}

func cause(c summary.Cause) string {
	failures := "failures"
	if c.N == 1 {
		failures = "failure"
	}
	first := ""
	if c.N > 1 {
		first = ", the first"
	}
	return fmt.Sprintf("%s: %s %s %s%s: %s", c.Function, units.FormatCount(c.N), c.Kind, failures, first, c.Message)
}

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
