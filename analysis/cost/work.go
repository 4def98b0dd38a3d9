package cost

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Month is how long a month is billed: 730 hours, a twelfth of 365 days, as
// the providers' own calculators have it.
const Month = 730 * time.Hour

// PerMonth is how many requests come in a month at a rate, to the nearest one.
func PerMonth(r units.Rate) uint64 { return uint64(math.Round(float64(r) * Month.Seconds())) }

// Package is how a function's code is deployed; it decides whether AWS billed
// its init before August 2025.
type Package string

const (
	ManagedZip Package = ""       // code for one of the provider's own runtimes
	CustomZip  Package = "custom" // a zip file that brings its runtime along
	Image      Package = "image"  // a container image
)

// Work is a month of one function as quantities before any rounding. The zero
// value of a field is nothing of the kind, but where its comment says otherwise.
// It is not changed by what is asked of it.
type Work struct {
	Name   string // of the function, for messages; may be ""
	Region string // "us-east-1"; "" is the product's home region
	Arch   string // "x86_64" or "arm64"; "" is x86_64

	// What an instance has. MemoryUsed is for providers that bill what is used;
	// 0 is all of Memory. MilliCPU is in thousandths of a vCPU; 0 is what the
	// product gives with the memory, where it does.
	Memory     units.Bytes
	MemoryUsed units.Bytes
	MilliCPU   int64
	Storage    units.Bytes // configured /tmp of a function

	Package Package

	Requests  uint64
	Durations *Durations // of the handler, warm and cold; nil only without requests
	CPU       *Durations // CPU time of each request; nil where nobody knows it
	// Cold of the requests had an instance started for them, and its Init beside
	// their own duration. Apart is where both were measured call by call; nil
	// takes a call's duration and its init as independent.
	Cold  uint64
	Init  *Durations
	Apart *Apart

	// Active is the spans in which some instance served at least one request,
	// however many at once, starts included; so long is billed where instances
	// are and not requests. Exact in number. Nil is one span a request, as at
	// concurrency 1.
	Active *Durations

	In, Out   units.Bytes // payload of a request and of its response, on average
	Streaming bool        // responses are streamed, so that they may be longer
	// Async of the requests are events that somebody queued, each of
	// AsyncPayload.
	Async        uint64
	AsyncPayload units.Bytes

	Provisioned []Provisioned
	Snapshots   Snapshots
	Fleet       *Fleet // instances that run whether or not there are requests; nil for none
}

// Apart is the calls of a work by how they started.
type Apart struct {
	Warm *Durations // handlers of calls that were not cold; nil where all were
	Cold *Durations // init and handler of each cold call, together
}

// Provisioned is instances kept ready ahead of demand: provisioned concurrency,
// minimum or always-ready instances.
type Provisioned struct {
	Instances uint64        // at once
	For       time.Duration // how long of the month; at most Month
	Requests  uint64        // of the work's: those that they served
}

// Snapshots is what restoring instances from snapshots costs.
type Snapshots struct {
	Versions uint64        // published, with a snapshot kept
	For      time.Duration // that each was kept
	Restores uint64        // instances started from one
	Java     bool          // Java's snapshots are free of charge
}

// Fleet is containers or virtual machines over the month, each from its start
// to its end whether it was busy or not.
type Fleet struct {
	Lives *Durations    // of the instances, boot included; exact in number
	Busy  time.Duration // of all lives together: serving somebody; 0 is always
	// CPU is the time of one whole vCPU that an instance uses in its life, on
	// average; 0 is not known. Burstable machines are billed by it.
	CPU  time.Duration
	Disk units.Bytes // of each instance
	// Address says that each instance has a public IPv4 address of its own.
	Address bool
	// Basis says how it is known that so many carry the requests: "measured",
	// "sized to p99 < 300 ms". Where it is "" a bill notes that nobody knows.
	Basis string
}

// Always is a fleet of so many instances that run all month.
func Always(instances uint64) *Fleet {
	return &Fleet{Lives: same(Month, instances)}
}

// Mean is a fleet of so many instances on average: whole ones that run all
// month, and one that runs for what is left. The number is above 0.
func Mean(instances *big.Rat) (*Fleet, error) {
	whole := new(big.Int).Quo(instances.Num(), instances.Denom())
	part := new(big.Rat).Sub(instances, new(big.Rat).SetInt(whole))
	share, _ := part.Float64()
	var groups []Group
	if whole.Sign() > 0 {
		groups = append(groups, Group{Month, Month, whole.Uint64()})
	}
	if life := time.Duration(math.Round(share * float64(Month))); life > 0 {
		groups = append(groups, Group{life, life, 1})
	}
	lives, err := Groups(groups...)
	if err != nil || !whole.IsUint64() {
		return nil, fmt.Errorf("%s instances: must be at least a nanosecond of one and at most 2^64-1", instances.FloatString(3))
	}
	return &Fleet{Lives: lives}, nil
}

// Times is the same work with another number of requests: what comes with each
// request goes along in proportion, what is always there stays.
func (w Work) Times(requests uint64) Work {
	w.Cold = proportion(w.Cold, requests, w.Requests)
	w.Async = proportion(w.Async, requests, w.Requests)
	w.Snapshots.Restores = proportion(w.Snapshots.Restores, requests, w.Requests)
	if w.Active != nil {
		w.Active = w.Active.times(requests, w.Requests)
	}
	if len(w.Provisioned) > 0 {
		list := make([]Provisioned, len(w.Provisioned))
		for i, p := range w.Provisioned {
			p.Requests = proportion(p.Requests, requests, w.Requests)
			list[i] = p
		}
		w.Provisioned = list
	}
	w.Requests = requests
	return w
}

// proportion is n x a / b, rounded to nearest; 0 where b is.
func proportion(n, a, b uint64) uint64 {
	if n == 0 || b == 0 || a == b {
		return n
	}
	x := new(big.Int).SetUint64(n)
	x.Mul(x, new(big.Int).SetUint64(a))
	y := new(big.Int).SetUint64(b)
	return x.Quo(x.Add(x, new(big.Int).Rsh(y, 1)), y).Uint64()
}

// times is the same durations in other numbers; a group that falls to nothing
// is left out, but one stays.
func (d *Durations) times(a, b uint64) *Durations {
	scaled := &Durations{known: d.known}
	for _, g := range d.groups {
		if g.Count = proportion(g.Count, a, b); g.Count > 0 {
			scaled.groups = append(scaled.groups, g)
			scaled.n += g.Count
		}
	}
	if scaled.n == 0 {
		last := d.groups[len(d.groups)-1]
		return &Durations{groups: []Group{{last.Low, last.High, 1}}, n: 1, known: last.Low}
	}
	return scaled
}

// Validate returns all faults.
func (w *Work) Validate() error {
	var faults []error
	bad := func(when bool, format string, args ...any) {
		if when {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	bad(w.Memory < 0 || w.MemoryUsed < 0 || w.Storage < 0 || w.In < 0 || w.Out < 0 || w.AsyncPayload < 0, "a size is negative")
	bad(w.MilliCPU < 0, "vCPU: %d thousandths: must be at least 0", w.MilliCPU)
	bad(w.Requests > 0 && w.Durations == nil && w.Fleet == nil, "%s without a duration", noun{w.Requests, "request"})
	bad(w.Cold > w.Requests, "cold: %d of %s", w.Cold, noun{w.Requests, "request"})
	bad(w.Cold > 0 && w.Init == nil && w.Apart == nil, "%s without an init", noun{w.Cold, "cold start"})
	bad(w.Async > w.Requests, "asynchronous: %d of %s", w.Async, noun{w.Requests, "request"})
	bad(w.Arch != "" && w.Arch != "x86_64" && w.Arch != "arm64", "architecture %q: write x86_64 or arm64", w.Arch)
	served := uint64(0)
	for _, p := range w.Provisioned {
		bad(p.For < 0 || p.For > Month, "provisioned for %v: must be from 0 to %v", p.For, Month)
		served += p.Requests
	}
	bad(served > w.Requests, "provisioned instances served %d of %s", served, noun{w.Requests, "request"})
	bad(w.Fleet != nil && w.Fleet.Lives == nil, "a fleet without instances")
	bad(w.Fleet != nil && (w.Fleet.Busy < 0 || w.Fleet.Disk < 0), "a fleet's busy time or disk is negative")
	return errors.Join(faults...)
}

// noun is a number of things, written only where it is asked for: a curve
// validates a work for each of its points.
type noun struct {
	n    uint64
	name string
}

func (n noun) String() string { return units.FormatNoun(n.n, n.name) }

// memoryUsed is what is used of the memory.
func (w *Work) memoryUsed() units.Bytes {
	if w.MemoryUsed > 0 {
		return w.MemoryUsed
	}
	return w.Memory
}

// arm says that the work runs on arm64.
func (w *Work) arm() bool { return w.Arch == "arm64" }

// withInit is the init and handler of cold calls, made once for all that ask.
func (w *Work) withInit() (*Durations, error) { return w.Durations.together(w.Init) }
