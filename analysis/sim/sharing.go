package sim

import (
	"math"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// sharedMark and above is what becomes due on an instance whose requests share
// processors: the number of the plan that it belongs to. It is above every
// start delay beyond readyMark.
const sharedMark = readyMark + 1<<62

// sharing is what requests on one instance cost each other.
type sharing struct {
	Contention
	crews map[lifecycle.Instance]*crew
	idle  []*crew // for use again
	plans lifecycle.Request
}

// crew is the requests on one instance. With Cores, each has needed as much
// service as any other since it came: pace is that, of one that has been there
// from the beginning, and a request is done when pace reaches its until.
type crew struct {
	jobs []job
	pace float64 // ns
	last time.Duration
	plan lifecycle.Request // the last one; others are void
}

type job struct {
	until   float64
	service time.Duration
	begun   time.Duration
	request request
	action  lifecycle.Action
}

func newSharing(c Contention) *sharing {
	return &sharing{Contention: c, crews: map[lifecycle.Instance]*crew{}}
}

// of is the crew of an instance.
func (s *sharing) of(i lifecycle.Instance, now time.Duration) *crew {
	c := s.crews[i]
	if c != nil {
		return c
	}
	if n := len(s.idle); n > 0 {
		c, s.idle = s.idle[n-1], s.idle[:n-1]
	} else {
		c = new(crew)
	}
	*c = crew{jobs: c.jobs[:0], last: now}
	s.crews[i] = c
	return c
}

// to lets the crew work until now.
func (s *sharing) to(c *crew, now time.Duration) {
	c.pace += float64(now-c.last) * s.rate(len(c.jobs))
	c.last = now
}

// rate is how fast each of n requests proceeds.
func (s *sharing) rate(n int) float64 {
	if s.Cores == 0 || n == 0 {
		return 1
	}
	return min(1, s.Cores/float64(n))
}

// first is the place of the job that is done first.
func (c *crew) first() int {
	first := 0
	for k := range c.jobs {
		if c.jobs[k].until < c.jobs[first].until {
			first = k
		}
	}
	return first
}

// share begins to serve a request beside others.
func (e *engine) share(a lifecycle.Action, r request) {
	s := e.sharing
	c := s.of(a.Instance, e.now)
	s.to(c, e.now)
	need := float64(r.service) * (1 + s.Slowdown*float64(len(c.jobs)))
	if len(c.jobs) == 0 {
		e.busy.add(e.now, 1)
	}
	c.jobs = append(c.jobs, job{c.pace + need, r.service, e.now, r, a})
	e.plan(a.Instance, c)
}

// plan says when the crew's next answer is due, as things are.
func (e *engine) plan(i lifecycle.Instance, c *crew) {
	s := e.sharing
	s.plans++
	c.plan = sharedMark + s.plans
	left := max(0, c.jobs[c.first()].until-c.pace) / s.rate(len(c.jobs))
	e.dues.push(e.now, due{e.now + time.Duration(math.Ceil(left)), i, c.plan})
}

// sharedDue ends the request that is done, if things are as they were planned.
func (e *engine) sharedDue(d due) {
	s := e.sharing
	c := s.crews[d.instance]
	if c == nil || c.plan != d.request {
		return
	}
	s.to(c, d.at)
	k := c.first()
	j := c.jobs[k]
	c.jobs = append(c.jobs[:k], c.jobs[k+1:]...)
	if len(c.jobs) == 0 {
		e.busy.add(d.at, -1)
		delete(s.crews, d.instance)
		s.idle = append(s.idle, c)
	} else {
		e.plan(d.instance, c)
	}
	e.count(j.action, j.request, j.begun-j.request.arrived, d.at-j.begun)
	e.step(d.at, lifecycle.Event{Kind: lifecycle.Finish, Instance: d.instance, Request: j.action.Request})
}
