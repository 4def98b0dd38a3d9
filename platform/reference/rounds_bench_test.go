//go:build linux

package reference_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
)

// What is compared takes turns: a lap is one cold request of each way, a round
// some laps, and a figure is made of the medians of one round. A promise is
// kept if the median of the rounds' figures keeps it; the worst is beside it.
const (
	leastRounds = 5   // fewer show that the benchmark runs, and judge nothing
	mostSteal   = .01 // of the processors, by the hypervisor; such a round is made again,
	mostRepeats = 3   // so many times in all, and then it counts
	mostMisses  = 40  // starts of another kind than the way's, which are left out
)

// way is one way to an answer from a function of which no instance runs.
type way struct {
	name   string
	proof  string                // what says that a start was of the way's kind
	ready  func(*testing.B)      // just before a cold request, when nobody looks at the clock; nil for nothing
	cold   func(*testing.B) bool // one request; false if its start was of another kind
	warm   func(*testing.B) bool // one more at the same instance; nil where nobody asks
	end    func(*testing.B)      // of what is left behind, which nobody waits for; nil for nothing
	pause  time.Duration         // after it, until all is ready for the next
	took   times                 // by cold ones
	again  times                 // by warm ones
	misses int                   // starts of another kind, which are left out
}

// lap is one cold request, and some warm ones after it.
func (w *way) lap(b *testing.B, warm int) {
	for {
		if w.ready != nil {
			w.ready(b)
		}
		good := w.measure(b, &w.took, w.cold)
		for range warm {
			if !good || w.warm == nil {
				break
			}
			if !w.measure(b, &w.again, w.warm) {
				w.misses++
			}
		}
		if w.end != nil {
			w.end(b)
		}
		time.Sleep(w.pause)
		if good {
			return
		}
		if w.misses++; w.misses > mostMisses {
			b.Fatalf("%s: %d starts were of another kind", w.name, w.misses)
		}
		w.pause = min(2*w.pause, time.Second) // this machine is slower to make ready than was thought
	}
}

func (w *way) measure(b *testing.B, to *times, request func(*testing.B) bool) bool {
	start := time.Now()
	good := request(b)
	took := time.Since(start)
	if good {
		*to = append(*to, took)
	}
	return good
}

// figures are one round's, by name: medians in microseconds, and rates.
type figures map[string]float64

// promise is what is held of a figure of each round.
type promise struct {
	what        string
	ours, other string // names of figures; other may be ""
	of          func(ours, other float64) float64
	most, least float64 // of the median; 0 is no such bound
	unit        string
}

func over(ours, other float64) float64   { return ours / other }
func beyond(ours, other float64) float64 { return (ours - other) / 1e3 } // in ms
func itself(ours, _ float64) float64     { return ours / 1e3 }           // in ms

func (p *promise) bound() string {
	switch {
	case p.most > 0:
		return fmt.Sprintf("<= %.4g%s", p.most, p.unit)
	case p.least > 0:
		return fmt.Sprintf(">= %.4g%s", p.least, p.unit)
	}
	return "reported"
}

// judge is the promise's line of the table, and whether it is broken.
func (p *promise) judge(rounds []figures, missing map[string]string) (line string, broken bool) {
	var all, ours, others []float64
	for _, r := range rounds {
		mine, here := r[p.ours]
		if !here {
			return fmt.Sprintf("%s\t\t\t\t\t%s\tnot measured: %s", p.what, p.bound(), missing[p.ours]), false
		}
		all, ours, others = append(all, p.of(mine, r[p.other])), append(ours, mine), append(others, r[p.other])
	}
	mid, worst := median(all), slices.Max(all)
	if p.least > 0 {
		worst = slices.Min(all)
	}
	broken = p.most > 0 && mid > p.most || p.least > 0 && mid < p.least
	verdict := "kept"
	switch {
	case p.most == 0 && p.least == 0:
		verdict = "-"
	case broken:
		verdict = "BROKEN"
	}
	other := ""
	if p.other != "" {
		other = significant(median(others))
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s%s\t%s%s\t%s\t%s", p.what, significant(median(ours)), other,
		significant(mid), p.unit, significant(worst), p.unit, p.bound(), verdict), broken
}

// significant is three digits of a figure, without an exponent.
func significant(v float64) string {
	if v == 0 || math.IsNaN(v) {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(math.Abs(v))))), v)
}

// judge prints all promises as one table and fails for each that is broken.
func judge(b *testing.B, promises []promise, rounds []figures, missing map[string]string) {
	b.Helper()
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "promise (us, or a second)\tours\tbeside\tmedian\tworst\tpromised\tverdict")
	var broken []string
	for _, p := range promises {
		line, bad := p.judge(rounds, missing)
		fmt.Fprintln(t, line)
		if bad {
			broken = append(broken, p.what)
		}
	}
	t.Flush()
	fmt.Printf("\n%d rounds, by turns; %s\n%s", len(rounds), machine(), &text) // a benchmark's log is cut after ten lines
	switch {
	case len(rounds) < leastRounds:
		fmt.Printf("%d rounds judge nothing; run it with -benchtime 9x\n", len(rounds))
	case len(broken) > 0:
		b.Errorf("broken: %s", strings.Join(broken, "; "))
	}
}

// machine is what a reader of the figures has to know of it.
func machine() string {
	load := "unknown"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	return fmt.Sprintf("%d processors, load average %s", runtime.NumCPU(), load)
}

// calm makes rounds until one counts: the hypervisor left it the processors, or
// has been given its chances.
func calm(repeats *int, round func() figures) figures {
	for {
		before := rundir.ReadVitals()
		f := round()
		v := rundir.ReadVitals().Since(before)
		stolen := float64(v.Steal) / (float64(v.Span) * float64(runtime.NumCPU()))
		if stolen <= mostSteal {
			return f
		}
		if *repeats >= mostRepeats {
			fmt.Printf("counted although the hypervisor took %.1f%%: %d rounds were repeated\n", 100*stolen, *repeats)
			return f
		}
		*repeats++
		fmt.Printf("repeated: the hypervisor took %.1f%%\n", 100*stolen)
	}
}
