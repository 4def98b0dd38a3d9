// Package traffic owns whose requests come when: the input of a simulation.
//
// In: files of recorded traffic (told by their content, gzipped or not), run
// directories, arrival processes, or the parameters of a synthetic population.
// Out: a [Source], which yields one [Function] at a time with its requests as
// a stream. It simulates, bills and draws nothing, and it does not judge
// whether a service time is plausible.
//
//	counts a minute, timestamps     [Open], as package arrival reads them
//	access logs                     [Open], common log format
//	Azure Functions 2019            [Open], its day files
//	Azure Functions 2021            [Open], its file of invocations
//	run directories                 [Open]
//	arrival processes               [Of], [Phases]
//	populations                     [Population]
//
// Memory does not grow with the number of requests. Counts of one function are
// held, 4 bytes a minute; timestamps are read again at each walk. What has to be
// brought into order or taken apart by function is sorted on disk, in
// temporary files that [Source] Close removes.
//
// Nothing is counted half: a file is read to its end before the first function
// is yielded, and a row that cannot be read is a [Fault] with its number.
package traffic

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Source is traffic of one or several functions.
type Source interface {
	// Functions yields each function once, in an order that is the same each
	// time; a fault is the last element. A function stays good until Close and
	// may be walked by another goroutine while the next ones are yielded.
	Functions(context.Context) iter.Seq2[*Function, error]
	About() About
	// Close removes what was kept on disk. It is idempotent.
	Close() error
}

// About says what a source holds.
type About struct {
	Format    string // "counts per minute", "Azure Functions 2021", ...
	Functions int
	Requests  float64       // mean number, exact for what is recorded
	Span      time.Duration // of the whole, from the first function's first request or minute
	Notes     []string      // what a reader of results must know: what was sorted, left out, assumed
}

// Request is one arrival.
type Request struct {
	At time.Duration // since the source's beginning
	// Service is how long an instance worked for it where that is on record,
	// without the start of the instance; below 0 where it is not.
	Service time.Duration
}

// Unknown is the Service of a request of which it is not on record.
const Unknown time.Duration = -1

// Function is one function's traffic. Its methods are safe for concurrent use.
type Function struct {
	Name string // for readers: a file's name, or hashes cut as short as the others allow
	// Key is who the function is whatever its file is called and whoever else is
	// in it: what random streams begin with. "" is as the name.
	Key      string
	Memory   units.Bytes       // 0 where the source does not tell
	Service  dist.Distribution // of the time an instance works for a request; nil where the source does not tell
	Span     time.Duration     // how long it lasts: all requests are in [0, Span)
	Expected float64           // mean number of requests; exact for what is recorded
	// Counts are the requests in each minute of Span, where that is all the
	// source knows; else nil. Not to be changed.
	Counts []uint32
	// Timed says that requests have service times of their own, for which
	// Service stands in where one is Unknown.
	Timed bool

	walk func(*rand.Rand) iter.Seq2[Request, error]

	mu  sync.Mutex
	err error
}

// Arrivals are the times of the requests, ascending, as a stream for one pass.
// A stream that ends early for a fault leaves it in Err. The random source
// places requests of which only the minute is known; same source, same times.
func (f *Function) Arrivals(rng *rand.Rand) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		f.Requests(rng)(func(r Request) bool { return yield(r.At) })
	}
}

// Requests are the requests as Arrivals yields their times.
func (f *Function) Requests(rng *rand.Rand) iter.Seq[Request] {
	return func(yield func(Request) bool) {
		for r, err := range f.walk(rng) {
			if err != nil {
				f.fail(err)
				return
			}
			if !yield(r) {
				return
			}
		}
	}
}

// Err is the first fault that a walk met; nil where all went well so far.
func (f *Function) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *Function) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = fmt.Errorf("traffic of %s: %w", f.Name, err)
	}
}

// Fault is something wrong in a file. Instead says what would be right.
type Fault struct {
	File    string
	Row     int // line number, from 1; 0 for a fault of the file as a whole
	Problem string
	Instead string
}

// Error is file:row: problem; instead.
func (f *Fault) Error() string {
	place := f.File
	if f.Row > 0 {
		place = fmt.Sprintf("%s:%d", f.File, f.Row)
	}
	return fmt.Sprintf("%s: %s; %s", place, f.Problem, f.Instead)
}
