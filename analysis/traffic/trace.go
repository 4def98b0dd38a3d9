package traffic

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// nameless is the key of the one function of a file that names none.
const nameless = "function"

// openTrace reads counts a minute or timestamps, of one function. Timestamps
// are walked once now, so that faults are told and their number is known, and
// again each time that they are wanted.
func openTrace(ctx context.Context, f File) (Source, error) {
	var n float64
	var last time.Duration
	trace, err := f.scan(func(offset time.Duration) bool {
		n++
		last = offset
		return int64(n)%(1<<16) != 0 || ctx.Err() == nil
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	if trace.Counts != nil {
		counted := Counted(&Function{Name: stem(f.Name), Key: nameless}, trace.Counts)
		return Of(About{Format: "counts per minute"}, counted), nil
	}
	stamped := &Function{Name: stem(f.Name), Key: nameless, Span: last + 1, Expected: n, walk: f.stamps}
	return Of(About{Format: "timestamps"}, stamped), nil
}

// scan reads a trace and hands its timestamps to visit.
func (f File) scan(visit func(time.Duration) bool) (arrival.Trace, error) {
	in, err := f.plain()
	if err != nil {
		return arrival.Trace{}, err
	}
	defer in.Close()
	trace, err := arrival.ScanTrace(in, visit)
	if e, ok := errors.AsType[*arrival.RowError](err); ok {
		err = in.blamed(&Fault{f.Name, e.Row, e.Problem, e.Instead})
	}
	return trace, err
}

// stamps walks the file's timestamps.
func (f File) stamps(*rand.Rand) iter.Seq2[Request, error] {
	return func(yield func(Request, error) bool) {
		going := true
		_, err := f.scan(func(offset time.Duration) bool {
			going = yield(Request{At: offset, Service: Unknown}, nil)
			return going
		})
		if err != nil && going {
			yield(Request{}, err)
		}
	}
}

// Counted gives f requests of which the number in each minute is known; they
// come at random times in it. It returns f, and keeps counts.
func Counted(f *Function, counts []uint32) *Function {
	f = Phases(f, Phase{Duration: time.Duration(len(counts)) * time.Minute, Process: arrival.Counts{PerMinute: counts}})
	f.Counts = counts
	return f
}
