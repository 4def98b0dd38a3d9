package cost

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// Recorder makes works and users of a run's samples. The zero value is ready;
// it serves one goroutine.
type Recorder struct {
	// Step has durations kept rounded up to it, so that a long run takes little
	// memory: whoever rounds to a multiple of it bills the same. The default is
	// every nanosecond.
	Step time.Duration
	// Anonymous keeps nothing for [Recorder.Users].
	Anonymous bool

	functions map[string]*recorded
	users     map[usage.Key]*used
	skipped   uint64
	guessed   uint64
	told      bool
}

// recorded is what one function did.
type recorded struct {
	requests, cold, ahead uint64
	all, warm, init, both map[time.Duration]uint64
}

// used is what one key did, and when it had requests under way.
type used struct {
	requests, cold, ahead uint64
	billed, billedAhead   time.Duration
	spans                 []edge
}

type edge struct {
	at    time.Duration
	delta int
}

// Add takes a sample. Who never reached a function did not have it run.
func (r *Recorder) Add(s *sample.Sample) {
	switch s.Err {
	case sample.Dropped, sample.Throttled, sample.Refused, sample.Payload, sample.Platform, sample.Network, sample.Cancelled:
		r.skipped++
		return
	}
	handler := s.Breakdown.Handler
	if handler == 0 {
		// Nobody took the request apart: what the caller saw bounds it.
		handler = max(0, s.Service()-started(s))
		r.guessed++
	}
	r.told = r.told || s.Breakdown.Handler > 0
	f := r.function(s.Function)
	f.requests++
	f.all[r.kept(handler)]++
	start := s.Believed()
	if start == sample.Provisioned {
		f.ahead++
	}
	if start == sample.Cold {
		f.cold++
		f.init[r.kept(started(s))]++
		f.both[r.kept(started(s)+handler)]++
	} else {
		f.warm[r.kept(handler)]++
	}
	if !r.Anonymous {
		r.user(s, start, handler)
	}
}

// started is what providers call init: the language runtime's start is part of it.
func started(s *sample.Sample) time.Duration { return s.Breakdown.Boot + s.Breakdown.Init }

func (r *Recorder) kept(d time.Duration) time.Duration {
	return time.Duration(Rounding{Step: r.Step}.steps(d)) * max(r.Step, 1)
}

func (r *Recorder) function(name string) *recorded {
	if r.functions == nil {
		r.functions = make(map[string]*recorded)
	}
	f := r.functions[name]
	if f == nil {
		f = &recorded{
			all: make(map[time.Duration]uint64), warm: make(map[time.Duration]uint64),
			init: make(map[time.Duration]uint64), both: make(map[time.Duration]uint64),
		}
		r.functions[name] = f
	}
	return f
}

func (r *Recorder) user(s *sample.Sample, start sample.Start, handler time.Duration) {
	if r.users == nil {
		r.users = make(map[usage.Key]*used)
	}
	key := usage.Key{Function: s.Function, Consumer: s.Consumer, Stage: s.Stage}
	u := r.users[key]
	if u == nil {
		u = &used{}
		r.users[key] = u
	}
	u.requests++
	billed := handler
	if start == sample.Cold {
		u.cold++
		billed += started(s)
	}
	billed = (billed + time.Millisecond - 1) / time.Millisecond * time.Millisecond
	u.billed += billed
	if start == sample.Provisioned {
		u.ahead++
		u.billedAhead += billed
	}
	u.spans = append(u.spans, edge{s.Done - handler, 1}, edge{s.Done, -1})
}

// Skipped is how many samples never had a function run, and so cost nothing.
func (r *Recorder) Skipped() uint64 { return r.skipped }

// Guessed is how many samples had no handler duration from the platform, so
// that the caller's wait stands for it, which is longer.
func (r *Recorder) Guessed() uint64 { return r.guessed }

// Ahead is how many samples met an instance that was started ahead of any
// request. Works have them like any warm one, and nothing of the instance's wait:
// see [Recorder.Ready].
func (r *Recorder) Ahead() (n uint64) {
	for _, f := range r.functions {
		n += f.ahead
	}
	return n
}

// Ready puts into works so many instances that each function had kept ready, for
// so long, with the requests that met one.
func (r *Recorder) Ready(works []Work, instances uint64, length time.Duration) {
	for i := range works {
		works[i].Provisioned = []Provisioned{{Instances: instances, For: length, Requests: r.functions[works[i].Name].ahead}}
	}
}

// Told says that of some samples the platform told how long they ran.
func (r *Recorder) Told() bool { return r.told }

// Works is a work for each function, in order of their names, with the memory
// that memory says it has.
func (r *Recorder) Works(memory func(function string) units.Bytes) ([]Work, error) {
	var works []Work
	var faults []error
	for name, f := range r.functions {
		w := Work{Name: name, Memory: memory(name), Requests: f.requests, Durations: counted(f.all), Cold: f.cold}
		if w.Memory <= 0 {
			faults = append(faults, fmt.Errorf("function %s: nobody says how much memory it has", name))
		}
		if f.cold > 0 {
			w.Init = counted(f.init)
			w.Apart = &Apart{Cold: counted(f.both), Warm: counted(f.warm)}
		}
		works = append(works, w)
	}
	if len(works) == 0 {
		return nil, errors.New("no request reached a function")
	}
	slices.SortFunc(works, func(a, b Work) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return works, errors.Join(faults...)
}

// counted is the durations of a count of each; nil for none.
func counted(counts map[time.Duration]uint64) *Durations {
	d, err := Counted(counts)
	if err != nil {
		return nil // there is none: no duration here is negative
	}
	return d
}

// Counted are so many calls of each duration.
func Counted(counts map[time.Duration]uint64) (*Durations, error) {
	groups := make([]Group, 0, len(counts))
	for d, n := range counts {
		groups = append(groups, Group{d, d, n})
	}
	return Groups(groups...)
}

// Users are who used what, by function, consumer and stage, ordered by key. Of
// versions samples know nothing.
func (r *Recorder) Users(memory func(function string) units.Bytes) []User {
	var users []User
	for key, u := range r.users {
		mb := int64(memory(key.Function) / units.MB)
		users = append(users, User{
			Entry: usage.Entry{Key: key, Usage: usage.Usage{
				Requests: u.requests, Cold: u.cold, Provisioned: u.ahead, Billed: u.billed,
				MemoryTime: mb * u.billed.Milliseconds(), MemoryTimeProvisioned: mb * u.billedAhead.Milliseconds(),
			}},
			Peak: u.peak(),
		})
	}
	slices.SortFunc(users, func(a, b User) int { return compareKeys(a.Key, b.Key) })
	return users
}

// peak is the most requests in their handlers at once.
func (u *used) peak() uint64 {
	slices.SortFunc(u.spans, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.delta, b.delta)) })
	most, now := 0, 0
	for _, e := range u.spans {
		now += e.delta
		most = max(most, now)
	}
	return uint64(most)
}

// MemoryOf is how much memory the instances had, where all that was billed had
// the same; the mean of it, in whole MB, where not, and 0 where nothing was.
func MemoryOf(u *usage.Usage) units.Bytes {
	ms := u.Billed.Milliseconds()
	if ms == 0 {
		return 0
	}
	return units.Bytes(u.MemoryTime/ms) * units.MB
}
