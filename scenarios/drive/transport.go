package drive

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

// seqHeader is where vegeta writes a hit's number, counted in the order in
// which its workers stamp their requests.
const seqHeader = "X-Vegeta-Seq"

// transport is the far end of vegeta's HTTP client: a hit comes in, an
// invocation goes out. Nothing of vegeta's request leaves the process.
type transport struct {
	requests context.Context // of every invocation
	origin   time.Time
	schedule *scenarios.Schedule
	routes   []route // by source of the schedule
	gate     *gate
	recorder *recorder
	headway  *headway
	backlog  backlog
	causes   causes
	evicted  evictions
	answer   *http.Response // the same for every hit; vegeta only reads it

	sent, dropped, cancelled atomic.Uint64
}

// route is where the arrivals of one source go and what their samples say of it.
type route struct {
	phase, function string
	deployment      platform.Deployment
	request         platform.Request
	evictor         *evictor
}

func newTransport(requests context.Context, plan *Plan, origin time.Time, g *gate) *transport {
	t := &transport{
		requests: requests,
		origin:   origin,
		schedule: plan.Schedule,
		gate:     g,
		answer:   &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Body: http.NoBody},
	}
	for _, src := range plan.Schedule.Sources {
		req := plan.Payloads[src.Function]
		req.Consumer, req.Stage, req.Trigger = src.Consumer, src.Stage, src.Trigger
		t.routes = append(t.routes, route{
			phase:      plan.Schedule.Phases[src.Phase].Name,
			function:   src.Function,
			deployment: plan.Deployments[src.Function],
			request:    req,
			evictor:    evictorOf(plan.Deployments[src.Function], src.Evict),
		})
	}
	return t
}

// RoundTrip serves one hit. It always answers: what went wrong is in the sample.
func (t *transport) RoundTrip(hit *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(hit.Header.Get(seqHeader), 10, 64)
	if err != nil || seq >= uint64(len(t.schedule.Times)) {
		// Unreachable while vegeta numbers its hits 0, 1, 2, ...; going on would
		// lose an arrival without a trace.
		panic(fmt.Sprintf("drive: hit %q has no arrival", hit.Header.Get(seqHeader)))
	}
	t.headway.spin(t.schedule.Times, seq, t.origin.Add(t.schedule.Times[seq]))
	if t.gate.enter() {
		t.send(seq)
		t.gate.leave()
		t.evicted.after(t.requests, t.routes[t.schedule.Source[seq]].evictor)
	} else {
		t.drop(seq)
	}
	return t.answer, nil
}

func (t *transport) send(seq uint64) {
	r := &t.routes[t.schedule.Source[seq]]
	s := t.blank(seq, r)
	t.evicted.look(r.evictor)
	gone := t.sent.Add(1) - 1 + t.dropped.Load()
	s.Sent = time.Since(t.origin)
	t.backlog.look(t.schedule.Times, s.Sent, s.Lag(), gone)
	resp, err := r.deployment.Invoke(t.requests, r.request)
	s.Done = time.Since(t.origin)
	if !resp.Answered.IsZero() {
		s.Done = resp.Answered.Sub(t.origin)
	}
	if !resp.FirstByte.IsZero() {
		s.FirstByte = resp.FirstByte.Sub(t.origin)
	}
	s.Start = resp.Evidence.Start
	s.Grade = resp.Evidence.Grade
	s.Instance = resp.Evidence.Instance
	s.Breakdown = resp.Evidence.Breakdown
	s.Billed = resp.Billed
	if err != nil {
		s.Err = t.kind(&resp, err)
		if s.Err != sample.Cancelled {
			t.causes.add(r.function, s.Err, err)
		}
	}
	t.recorder.add(&s)
}

// kind is what a failure is recorded as. Once the run has cancelled its
// requests, one that has no answer failed for that reason, whatever the adapter
// takes it for.
func (t *transport) kind(resp *platform.Response, err error) sample.ErrorKind {
	if t.requests.Err() != nil && resp.Status == 0 {
		t.cancelled.Add(1)
		return sample.Cancelled
	}
	return platform.KindOf(err)
}

// drop records that arrival seq is not sent.
func (t *transport) drop(seq uint64) {
	s := t.blank(seq, &t.routes[t.schedule.Source[seq]])
	s.Err = sample.Dropped
	t.dropped.Add(1)
	t.recorder.add(&s)
}

func (t *transport) blank(seq uint64, r *route) sample.Sample {
	return sample.Sample{
		Seq:      seq,
		Phase:    r.phase,
		Function: r.function,
		Consumer: r.request.Consumer,
		Stage:    r.request.Stage,
		Trigger:  r.request.Trigger,
		Intended: t.schedule.Times[seq],
	}
}
