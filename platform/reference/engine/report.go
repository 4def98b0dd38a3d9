package engine

import (
	"fmt"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// report is what Lambda's log says of an invocation beside the function's own lines.
type report struct {
	outcome   *Outcome
	memory    units.Bytes // the function's limit
	maxMemory int64       // peak bytes of the instance
	errorType string      // of a failure
	// Of an invocation that ran over: how long it might have taken, and when it was ended.
	timeout time.Duration
	ended   time.Time
}

// appendStart writes the line that stands before the function's own.
func (r report) appendStart(b []byte) []byte {
	b = append(b, "START RequestId: "...)
	b = append(b, r.outcome.RequestID...)
	b = append(b, " Version: "...)
	b = append(b, r.outcome.Version...)
	return append(b, '\n')
}

// appendEnd writes the END and REPORT lines, byte for byte as Lambda does, and
// before them that of a timeout. The
// durations are printed rounded, the billed one was rounded up before that.
func (r report) appendEnd(b []byte) []byte {
	if r.outcome.Kind == sample.Timeout {
		b = r.ended.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z ")
		b = fmt.Appendf(b, "%s Task timed out after %.2f seconds\n\n", r.outcome.RequestID, r.timeout.Seconds())
	}
	b = append(b, "END RequestId: "...)
	b = append(b, r.outcome.RequestID...)
	b = append(b, "\nREPORT RequestId: "...)
	b = append(b, r.outcome.RequestID...)
	b = append(b, "\tDuration: "...)
	b = appendMillis(b, r.outcome.Truth.Duration())
	b = append(b, " ms\tBilled Duration: "...)
	b = strconv.AppendInt(b, r.outcome.Billed.Milliseconds(), 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(r.memory)>>20, 10)
	b = append(b, " MB\tMax Memory Used: "...)
	b = strconv.AppendInt(b, (r.maxMemory+1<<20-1)>>20, 10)
	b = append(b, " MB"...)
	if init := r.outcome.Truth.Init(); init > 0 {
		b = append(b, "\tInit Duration: "...)
		b = appendMillis(b, init)
		b = append(b, " ms"...)
	}
	switch r.outcome.Kind {
	case sample.Timeout:
		b = append(b, "\tStatus: timeout"...)
	case sample.Crash, sample.OutOfMemory, sample.Init:
		b = append(b, "\tStatus: error\tError Type: "...)
		b = append(b, r.errorType...)
	}
	return append(b, '\n')
}

func appendMillis(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d)/float64(time.Millisecond), 'f', 2, 64)
}

// tail is the last n bytes of an invocation's log.
func (r report) tail(own []byte, n int) []byte {
	b := r.appendStart(nil)
	b = append(b, own...)
	if len(own) > 0 && own[len(own)-1] != '\n' {
		b = append(b, '\n')
	}
	b = r.appendEnd(b)
	return b[max(0, len(b)-n):]
}
