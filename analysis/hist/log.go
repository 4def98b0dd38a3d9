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
