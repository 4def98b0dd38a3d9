package sim

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
)

// chunk is some requests in a row: when they come and how long they need.
type chunk struct {
	times, services []time.Duration
	own             []time.Duration // service times that the load tells, below 0 where not; empty where it tells none
	places          []int           // in the record that is followed; empty where none is
	besides         []time.Duration // what each takes beside an instance; the same
}

// chunkSize is how many requests are drawn at once: enough that handing them
// over costs nothing, few enough to stay in a processor's cache.
const chunkSize = 1024

func newChunk() *chunk {
	return &chunk{times: make([]time.Duration, 0, chunkSize), services: make([]time.Duration, 0, chunkSize)}
}

// Requests are a load's requests as the event engine meets them with these
// options: when each comes, and how long it is served. So what is not a pool of
// instances can meet the same ones. The load's Err tells what ended them early.
func Requests(load Load, options Options) iter.Seq2[time.Duration, time.Duration] {
	if load.Arrivals == nil {
		load.Arrivals = load.drawn
	}
	return func(yield func(at, service time.Duration) bool) {
		for c := range chunks(&load, &options) {
			for k, at := range c.times {
				if !yield(at, c.services[k]) {
					return
				}
			}
		}
	}
}

// chunks draws a load's requests, up to its span and the number asked for. A
// chunk is good until the next.
func chunks(load *Load, options *Options) iter.Seq[*chunk] {
	return func(yield func(*chunk) bool) {
		c := newChunk()
		draw(load, options, func() *chunk {
			if !yield(c) {
				return nil
			}
			return c
		}, c)
	}
}

// chunksAside draws them in a goroutine of its own.
func chunksAside(load *Load, options *Options) iter.Seq[*chunk] {
	return func(yield func(*chunk) bool) {
		const ahead = 4
		full, free, stop := make(chan *chunk, ahead), make(chan *chunk, ahead), make(chan struct{})
		for range ahead - 1 {
			free <- newChunk()
		}
		go func() {
			defer close(full)
			c := newChunk()
			draw(load, options, func() *chunk {
				full <- c
				select {
				case c = <-free:
					return c
				case <-stop:
					return nil
				}
			}, c)
		}()
		defer func() {
			close(stop)
			for range full { // until the drawing has ended, because the load is the caller's again then
			}
		}()
		for c := range full {
			if !yield(c) {
				return
			}
			free <- c
		}
	}
}

// draw fills chunks. next takes one that is full, or the last, and gives the
// one to go on with; nil ends it.
func draw(load *Load, options *Options, next func() *chunk, c *chunk) {
	arrivals, services := load.stream(options.Seed, 0), load.stream(options.Seed, 1)
	left, end := options.Requests, load.Span
	if left == 0 {
		left = 1<<64 - 1
	}
	if end == 0 {
		end = never
	}
	var own time.Duration
	timed := load.Timed != nil && options.Record == nil
	times := load.Arrivals(arrivals)
	if timed {
		times = aside(load.Timed(arrivals), &own)
	}
	var late *lateness
	if options.Record != nil {
		late = &lateness{record: options.Record, rng: load.stream(options.Seed, 6)}
		times, end = late.of(times, end), never
	}
	c.empty()
	for t := range times {
		if t >= end {
			break
		}
		c.times = append(c.times, t)
		if timed {
			c.own = append(c.own, own)
		}
		if late != nil {
			c.places, c.besides = append(c.places, late.place), append(c.besides, late.beside)
		}
		left--
		if len(c.times) == chunkSize || left == 0 {
			c.serve(options.Service, services)
			if c = next(); c == nil {
				return
			}
			c.empty()
			if left == 0 {
				return
			}
		}
	}
	if len(c.times) > 0 {
		c.serve(options.Service, services)
		next()
	}
}

// aside yields the first of each two, and leaves the second where it is found
// until the next.
func aside(requests iter.Seq2[time.Duration, time.Duration], second *time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for first, s := range requests {
			*second = s
			if !yield(first) {
				return
			}
		}
	}
}

func (c *chunk) empty() {
	c.times, c.own, c.places, c.besides = c.times[:0], c.own[:0], c.places[:0], c.besides[:0]
}

// serve draws how long each request needs, where the load does not tell. The commonest distributions are
// spelt out because a call through an interface costs as much as the draw.
func (c *chunk) serve(service dist.Distribution, rng *rand.Rand) {
	c.services = c.services[:len(c.times)]
	if s, ok := service.(*dist.Succession); ok && len(c.places) > 0 {
		for k, place := range c.places {
			c.services[k] = s.At(place)
		}
		return
	}
	switch d := service.(type) {
	case dist.Constant:
		for k := range c.services {
			c.services[k] = time.Duration(d)
		}
	case dist.Exponential:
		for k := range c.services {
			c.services[k] = d.Sample(rng)
		}
	default:
		for k := range c.services {
			c.services[k] = d.Sample(rng)
		}
	}
	for k, own := range c.own {
		if own >= 0 {
			c.services[k] = own
		}
	}
}
