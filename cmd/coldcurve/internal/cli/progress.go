package cli

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// plainEvery is how often progress is told where it cannot be overwritten.
const plainEvery = 5 * time.Second

// progress tells how a run is getting on: one line that is overwritten on a
// terminal, a plain line now and then elsewhere.
type progress struct {
	w        *World
	scenario string
	told     time.Duration
	open     bool // a line is on the terminal that is not ended yet
}

func newProgress(w *World, scenario string) *progress {
	return &progress{w: w, scenario: scenario, told: -plainEvery}
}

// show is called by one goroutine a few times a second.
func (p *progress) show(now drive.Progress) {
	if p.w.Terminal.Err {
		fmt.Fprintf(p.w.Stderr, "\r%s\x1b[K", fit(p.line(now), p.w.Terminal.Width))
		p.open = true
		return
	}
	if now.Elapsed-p.told >= plainEvery {
		p.told = now.Elapsed
		fmt.Fprintf(p.w.Stderr, "coldcurve: %s\n", p.line(now))
	}
}

func (p *progress) end() {
	if p.open {
		fmt.Fprint(p.w.Stderr, "\r\x1b[K")
		p.open = false
	}
}

func (p *progress) line(now drive.Progress) string {
	left := "the last answers"
	if now.Elapsed < now.Total {
		left = (now.Total - now.Elapsed).Round(time.Second).String() + " left"
	}
	line := fmt.Sprintf("%s, %s, %s: ", p.scenario, now.Phase, left)
	if now.Elapsed >= time.Second { // rates are of the last second
		line += fmt.Sprintf("%s of %s offered, ", units.Rate(now.AchievedRate), units.Rate(now.OfferedRate))
	}
	line += units.FormatCount(int64(now.Cold)) + " cold"
	if now.P50 > 0 {
		line += ", p50 " + units.FormatDuration(now.P50)
	}
	if now.P99 > 0 {
		line += ", p99 " + units.FormatDuration(now.P99)
	}
	if now.Errors > 0 {
		line += ", " + count(now.Errors, "error")
	}
	if now.Dropped > 0 {
		line += fmt.Sprintf(", %s dropped", units.FormatCount(int64(now.Dropped)))
	}
	return line
}

// fit cuts a line to the terminal's width, so that \r can take it back.
func fit(line string, width int) string {
	if runes := []rune(line); width > 1 && len(runes) >= width {
		return string(runes[:width-1])
	}
	return line
}
