package histtest

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// Interval is one line of a .hlog.
type Interval struct {
	Tag        string // "" for none
	Start, End time.Time
	// Histogram has the line's counts; its least, greatest and mean are those
	// of the bars, to three digits, for a log keeps no others.
	Histogram *hist.Histogram
}

// ReadLog reads a .hlog of durations in nanoseconds.
func ReadLog(r io.Reader) ([]Interval, error) {
	log := hdrhistogram.NewHistogramLogReader(r)
	var all []Interval
	for {
		hdr, err := log.NextIntervalHistogram()
		if err != nil {
			return all, fmt.Errorf("read histogram log: interval %d: %w", len(all)+1, err)
		}
		if hdr == nil {
			return all, nil
		}
		h := hist.New()
		for _, b := range hdr.Distribution() {
			for range b.Count {
				h.Record(time.Duration(b.From + (b.To-b.From)/2))
			}
		}
		all = append(all, Interval{
			Tag:       hdr.Tag(),
			Start:     time.UnixMilli(hdr.StartTimeMs()),
			End:       time.UnixMilli(hdr.EndTimeMs()),
			Histogram: h,
		})
	}
}
