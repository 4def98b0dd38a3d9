package traffic

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// record is one request on disk: function, time and service in nanoseconds.
type record struct {
	function    uint32
	at, service int64
}

const (
	recordSize = 20
	runLength  = 1 << 20   // records that are sorted in memory at once: 24 MB
	mergeRead  = 32 << 10  // bytes read ahead of each run
	walkRead   = 256 << 10 // and of a walk
)

func (r record) before(s record) int {
	return cmp.Or(cmp.Compare(r.function, s.function), cmp.Compare(r.at, s.at))
}

func (r record) put(b []byte) {
	binary.LittleEndian.PutUint32(b, r.function)
	binary.LittleEndian.PutUint64(b[4:], uint64(r.at))
	binary.LittleEndian.PutUint64(b[12:], uint64(r.service))
}

func recordOf(b []byte) record {
	return record{binary.LittleEndian.Uint32(b), int64(binary.LittleEndian.Uint64(b[4:])), int64(binary.LittleEndian.Uint64(b[12:]))}
}

// sorter brings requests into the order of function and time by an external
// merge sort: runs that are sorted in memory go to a temporary file, and are
// merged into another. What fits one run stays in memory.
type sorter struct {
	runLength int
	run       []record
	runs      []int64 // ends of the runs on disk, in records
	spill     *os.File
	origin    int64 // the earliest at
	long      int   // services longer than a histogram takes
}

func newSorter() *sorter { return &sorter{runLength: runLength, origin: math.MaxInt64} }

func (s *sorter) add(r record) error {
	s.origin = min(s.origin, r.at)
	if r.service > int64(hist.Highest) {
		s.long++
	}
	s.run = append(s.run, r)
	if len(s.run) < s.runLength {
		return nil
	}
	return s.flush()
}

// flush sorts the run and writes it out. Equal records keep no order: they are
// the same request to a simulation, but for its service.
func (s *sorter) flush() (err error) {
	if s.spill == nil {
		if s.spill, err = scratch(); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.run, record.before)
	if err := writeRecords(s.spill, slices.Values(s.run)); err != nil {
		return err
	}
	end := int64(len(s.run))
	if n := len(s.runs); n > 0 {
		end += s.runs[n-1]
	}
	s.runs = append(s.runs, end)
	s.run = s.run[:0]
	return nil
}

func writeRecords(f *os.File, records iter.Seq[record]) error {
	out := bufio.NewWriterSize(f, walkRead)
	var b [recordSize]byte
	for r := range records {
		r.put(b[:])
		if _, err := out.Write(b[:]); err != nil {
			return fmt.Errorf("sort traffic: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("sort traffic: %w", err)
	}
	return nil
}

// scratch is a temporary file.
func scratch() (*os.File, error) {
	f, err := os.CreateTemp("", "coldcurve-traffic-*")
	if err != nil {
		return nil, fmt.Errorf("sort traffic: %w", err)
	}
	return f, nil
}

// discard closes and removes a temporary file, which may be nil.
func discard(f *os.File) error {
	if f == nil {
		return nil
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (s *sorter) remove() error {
	spill := s.spill
	s.spill = nil
	return discard(spill)
}

// sorted is what a sorter cannot know of its functions.
type sorted struct {
	keys   []string        // by record.function
	names  []string        // the same, for readers; nil: the keys
	spread time.Duration   // requests come at random times within so long; 0: at the time recorded
	timed  bool            // records have services
	finish func(*Function) // completes a function before it is yielded; may be nil
	origin int64           // what At 0 is
	keep   bool            // the origin is as given, not the earliest record
}

// source merges the runs into a source. The sorter is of no use afterwards.
func (s *sorter) source(ctx context.Context, about About, what sorted) (Source, error) {
	out := &ordered{sorted: what}
	if !what.keep {
		out.origin = s.origin
	}
	n, err := s.merge(ctx, out)
	if err = errors.Join(err, s.remove()); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	if s.long > 0 {
		about.Notes = append(about.Notes, fmt.Sprintf("%d service times are longer than %s and are taken for that", s.long, units.FormatDuration(hist.Highest)))
	}
	out.about = about
	out.about.Functions = len(out.parts)
	out.about.Requests = float64(n)
	for _, p := range out.parts {
		out.about.Span = max(out.about.Span, time.Duration(p.last-out.origin)+1)
	}
	return out, nil
}

func (s *sorter) merge(ctx context.Context, out *ordered) (n int64, err error) {
	if len(s.runs) == 0 {
		slices.SortStableFunc(s.run, record.before)
		for i, r := range s.run {
			out.note(r, int64(i))
		}
		out.memory, s.run = s.run, nil
		return int64(len(out.memory)), nil
	}
	if err := s.flush(); err != nil {
		return 0, err
	}
	s.run = nil
	if out.disk, err = scratch(); err != nil {
		return 0, err
	}
	err = writeRecords(out.disk, func(yield func(record) bool) {
		for r := range s.merged(&err) {
			if n%checkEvery == 0 && ctx.Err() != nil {
				err = ctx.Err()
				return
			}
			out.note(r, n)
			n++
			if !yield(r) {
				return
			}
		}
	})
	return n, err
}

// merged yields the records of all runs in order; a fault goes to failed.
func (s *sorter) merged(failed *error) iter.Seq[record] {
	return func(yield func(record) bool) {
		heap := make([]*runReader, 0, len(s.runs))
		start := int64(0)
		for _, end := range s.runs {
			section := io.NewSectionReader(s.spill, start*recordSize, (end-start)*recordSize)
			heap = append(heap, &runReader{in: bufio.NewReaderSize(section, mergeRead), left: end - start})
			start = end
		}
		heap = slices.DeleteFunc(heap, func(r *runReader) bool { return !r.next(failed) })
		for i := len(heap)/2 - 1; i >= 0; i-- {
			sink(heap, i)
		}
		for len(heap) > 0 && *failed == nil {
			if !yield(heap[0].head) {
				return
			}
			if !heap[0].next(failed) {
				heap[0] = heap[len(heap)-1]
				heap = heap[:len(heap)-1]
			}
			sink(heap, 0)
		}
	}
}

// sink restores the order of a heap whose i-th reader may be too high.
func sink(heap []*runReader, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if heap[child].head.before(heap[least].head) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// runReader reads a run on disk.
type runReader struct {
	in   *bufio.Reader
	head record
	left int64 // records behind head
}

// next moves head on and says whether there is one.
func (r *runReader) next(failed *error) bool {
	if r.left == 0 {
		return false
	}
	var b [recordSize]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		*failed = errors.Join(*failed, fmt.Errorf("sort traffic: %w", err))
		return false
	}
	r.head = recordOf(b[:])
	r.left--
	return true
}

// ordered is a source of sorted requests, in memory or on disk.
type ordered struct {
	sorted
	filed
	parts  []part
	memory []record
}

// filed is what sources have in common that keep their requests on disk.
type filed struct {
	about About
	disk  *os.File // nil where memory was enough, and after Close
}

func (f *filed) About() About { return f.about }

func (f *filed) Close() error {
	disk := f.disk
	f.disk = nil
	return discard(disk)
}

// part is where a function's requests lie, in records.
type part struct {
	function uint32
	start, n int64
	last     int64 // at of the last one
}

// note takes the i-th record into the parts.
func (o *ordered) note(r record, i int64) {
	if k := len(o.parts); k == 0 || o.parts[k-1].function != r.function {
		o.parts = append(o.parts, part{function: r.function, start: i})
	}
	p := &o.parts[len(o.parts)-1]
	p.n++
	p.last = r.at + int64(max(o.spread-1, 0))
}

func (o *ordered) Functions(ctx context.Context) iter.Seq2[*Function, error] {
	return func(yield func(*Function, error) bool) {
		for _, p := range o.parts {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			f := &Function{
				Name: o.keys[p.function], Key: o.keys[p.function], Expected: float64(p.n), Timed: o.timed,
				Span: o.about.Span, // the recording's, also where this function is silent at its end
				walk: func(rng *rand.Rand) iter.Seq2[Request, error] { return o.walk(p, rng) },
			}
			if o.names != nil {
				f.Name = o.names[p.function]
			}
			if o.finish != nil {
				o.finish(f)
			}
			err := o.measure(f, p)
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// measure gives f the distribution of its recorded services.
func (o *ordered) measure(f *Function, p part) error {
	if !o.timed {
		return nil
	}
	h := hist.New()
	for r, err := range o.stored(p) {
		if err != nil {
			return err
		}
		if r.Service != Unknown {
			h.Record(min(r.Service, hist.Highest))
		}
	}
	if h.N() == 0 {
		return nil
	}
	service, err := dist.NewEmpirical(h)
	if err != nil {
		return fmt.Errorf("service times of %s: %w", f.Name, err)
	}
	f.Service = service
	return nil
}

// walk yields the requests of a part.
func (o *ordered) walk(p part, rng *rand.Rand) iter.Seq2[Request, error] {
	stored := o.stored(p)
	if o.spread == 0 {
		return stored
	}
	return spread(stored, o.spread, rng)
}

func (o *ordered) stored(p part) iter.Seq2[Request, error] {
	return func(yield func(Request, error) bool) {
		if o.disk == nil {
			for _, r := range o.memory[p.start : p.start+p.n] {
				if !yield(o.request(r), nil) {
					return
				}
			}
			return
		}
		var failed error
		in := runReader{left: p.n, in: bufio.NewReaderSize(io.NewSectionReader(o.disk, p.start*recordSize, p.n*recordSize), walkRead)}
		for in.next(&failed) {
			if !yield(o.request(in.head), nil) {
				return
			}
		}
		if failed != nil {
			yield(Request{}, failed)
		}
	}
}

func (o *ordered) request(r record) Request {
	return Request{At: time.Duration(r.at - o.origin), Service: time.Duration(r.service)}
}

// spread gives requests of the same recorded time random times in [At, At+unit),
// in order: the least of n uniforms in (u, 1) is 1-(1-u) V^(1/n), V uniform.
func spread(requests iter.Seq2[Request, error], unit time.Duration, rng *rand.Rand) iter.Seq2[Request, error] {
	return func(yield func(Request, error) bool) {
		var same []time.Duration // services of the requests at one time
		var at time.Duration
		release := func() bool {
			u := 0.
			for i, service := range same {
				u -= (1 - u) * math.Expm1(-rng.ExpFloat64()/float64(len(same)-i))
				if !yield(Request{At: at + min(time.Duration(u*float64(unit)), unit-1), Service: service}, nil) {
					return false
				}
			}
			same = same[:0]
			return true
		}
		for r, err := range requests {
			if err != nil {
				yield(Request{}, err)
				return
			}
			if r.At != at && !release() {
				return
			}
			at = r.At
			same = append(same, r.Service)
		}
		release()
	}
}
