package hist

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// LogWriter writes a .hlog: one line an interval and tag, in HdrHistogram's
// log format 1.3. Use [NewLogWriter]. It serves one goroutine.
type LogWriter struct {
	log *hdrhistogram.HistogramLogWriter
}

// NewLogWriter writes the head of a log whose intervals are offsets from
// origin, kept to the millisecond.
func NewLogWriter(w io.Writer, origin time.Time) (*LogWriter, error) {
	log := hdrhistogram.NewHistogramLogWriter(w)
	if err := writeHead(log, origin); err != nil {
		return nil, fmt.Errorf("write histogram log: %w", err)
	}
	return &LogWriter{log: log}, nil
}

// writeHead spells the times itself, as Java does: the library's own methods
// cut them to whole seconds.
func writeHead(log *hdrhistogram.HistogramLogWriter, origin time.Time) error {
	seconds := float64(origin.UnixMilli()) / 1000
	if err := log.OutputLogFormatVersion(); err != nil {
		return err
	}
	if err := log.OutputComment(fmt.Sprintf("[BaseTime: %.3f (seconds since epoch)]", seconds)); err != nil {
		return err
	}
	start := fmt.Sprintf("[StartTime: %.3f (seconds since epoch), %s]", seconds, origin.UTC().Format(time.RFC3339))
	if err := log.OutputComment(start); err != nil {
		return err
	}
	return log.OutputLegend()
}

// Interval writes the line of h for [start, end), in one call of Write. A tag
// must hold no comma, no space and no line break; "" is no tag.
func (l *LogWriter) Interval(tag string, h *Histogram, start, end time.Duration) error {
	if strings.ContainsAny(tag, ", \r\n") {
		return fmt.Errorf("write histogram log: tag %q holds a comma, a space or a line break", tag)
	}
	h.hdr.SetTag(tag)
	h.hdr.SetStartTimeMs(start.Milliseconds())
	h.hdr.SetEndTimeMs(end.Milliseconds())
	if err := l.log.OutputIntervalHistogram(h.hdr); err != nil {
		return fmt.Errorf("write histogram log: %w", err)
	}
	return nil
}

// Interval is one line of a .hlog.
type Interval struct {
	Tag        string // "" for none
	Start, End time.Time
	// Histogram has the line's counts; its least, greatest and mean are those
	// of the bars, to three digits, for a log keeps no others.
	Histogram *Histogram
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
		all = append(all, Interval{
			Tag:       hdr.Tag(),
			Start:     time.UnixMilli(hdr.StartTimeMs()),
			End:       time.UnixMilli(hdr.EndTimeMs()),
			Histogram: fromBars(hdr),
		})
	}
}

// fromBars takes over the counts of a histogram of any geometry.
func fromBars(hdr *hdrhistogram.Histogram) *Histogram {
	h := New()
	for _, b := range hdr.Distribution() {
		if b.Count == 0 {
			continue
		}
		low, high, n := time.Duration(b.From), time.Duration(b.To), uint64(b.Count)
		if high > Highest || h.hdr.RecordValues(b.To, b.Count) != nil {
			h.outOfRange += n
			continue
		}
		if h.n == 0 {
			h.min = low
		}
		h.max = high
		h.n += n
		h.sum.merge(times(uint64(low+(high-low)/2), n))
	}
	return h
}
