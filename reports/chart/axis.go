package chart

import (
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// longest is where an axis ends whatever a broken clock says; beyond it, sums of
// durations overflow.
const longest = 100 * 365 * 24 * time.Hour

// spread is the ratio of the largest to the smallest value from which an axis
// is logarithmic: below it, a linear one shows more.
const spread = 12

// logScale is plot.LogScale for any input: what is not above 0 stands at the
// axis' low end instead of ending the program.
type logScale struct{}

// Normalize implements plot.Normalizer.
func (logScale) Normalize(low, high, x float64) float64 {
	if low <= 0 || high <= low {
		return 0
	}
	if x < low {
		x = low
	}
	return math.Log(x/low) / math.Log(high/low)
}

// durationAxis lets a show durations from low to high, which may be any
// values; logarithmic where asked for.
func durationAxis(a *plot.Axis, low, high time.Duration, log bool) {
	low, high = max(low, 1), min(max(high, 1), longest)
	if !log {
		step := niceStep(high)
		a.Min, a.Max = 0, float64((high+step-1)/step*step)
		var ticks plot.ConstantTicks
		for v := time.Duration(0); float64(v) <= a.Max; v += step {
			ticks = append(ticks, plot.Tick{Value: float64(v), Label: tickLabel(v)})
		}
		a.Tick.Marker = ticks
		return
	}
	a.Scale = logScale{}
	// A hair beyond the outermost dots keeps them off the frame.
	a.Min, a.Max = float64(low)/1.25, float64(high)*1.25
	a.Tick.Marker = decades(a.Min, a.Max)
}

// decades puts a labelled tick at each power of ten, at 1, 2 and 5 in each where
// there are few, and a bare tick at the rest of 1..9.
func decades(low, high float64) plot.ConstantTicks {
	return decadesOf(low, high, func(v float64) string { return tickLabel(time.Duration(math.Round(v))) })
}

func decadesOf(low, high float64, label func(float64) string) plot.ConstantTicks {
	wide := high/low > 3e3
	var ticks plot.ConstantTicks
	for base := math.Pow(10, math.Floor(math.Log10(low))); base <= high; base *= 10 {
		for i := 1.0; i < 10; i++ {
			v := base * i
			if v < low || v > high {
				continue
			}
			t := plot.Tick{Value: v}
			if i == 1 || (!wide && (i == 2 || i == 5)) {
				t.Label = label(v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// tickLabel leaves out the zeros that a round value does not need.
func tickLabel(d time.Duration) string {
	number, unit, ok := strings.Cut(units.FormatDuration(d), " ")
	if !ok {
		return number
	}
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number + " " + unit
}

// mostTicks of an axis that counts evenly.
const mostTicks = 8

// niceStep is the distance between ticks from 0 to high: 1, 2 or 5 of a power
// of ten, and from a second on what clocks show.
func niceStep(high time.Duration) time.Duration {
	for _, clockStep := range []time.Duration{time.Hour, 30 * time.Minute, 15 * time.Minute, 10 * time.Minute, 5 * time.Minute,
		2 * time.Minute, time.Minute, 30 * time.Second, 15 * time.Second, 10 * time.Second} {
		if clockStep <= high/4 && high/clockStep <= mostTicks {
			return clockStep
		}
	}
	if high > mostTicks*time.Hour {
		return time.Duration(niceFloat(float64(high)/float64(time.Hour))) * time.Hour
	}
	return max(time.Duration(niceFloat(float64(high))), 1)
}

// niceFloat is the 1, 2 or 5 times a power of ten that divides high into at
// most mostTicks parts.
func niceFloat(high float64) float64 {
	if high <= 0 {
		return 1
	}
	base := math.Pow(10, math.Floor(math.Log10(high/mostTicks)))
	for _, m := range []float64{1, 2, 5} {
		if high/(base*m) <= mostTicks {
			return base * m
		}
	}
	return base * 10
}

// timeAxis lets a show the time since the run's origin.
func timeAxis(a *plot.Axis, end time.Duration) {
	end = min(max(end, 1), longest)
	step := niceStep(end)
	a.Min, a.Max = 0, float64(end)
	var ticks plot.ConstantTicks
	for v := time.Duration(0); v <= end; v += step {
		ticks = append(ticks, plot.Tick{Value: float64(v), Label: tickLabel(v)})
	}
	a.Tick.Marker = ticks
	a.Label.Text = "time since the run began"
}

// countAxis lets a show counts from 0 to high.
func countAxis(a *plot.Axis, high float64) {
	step := max(niceFloat(high), 1)
	a.Min, a.Max = 0, max(math.Ceil(high/step)*step, 1)
	var ticks plot.ConstantTicks
	for v := 0.0; v <= a.Max; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: units.FormatCount(int64(v))})
	}
	a.Tick.Marker = ticks
}
