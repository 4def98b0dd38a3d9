// Package platformtest owns what every platform has to do: a conformance kit.
//
// In: a [Kit], how a platform is opened and what its function looks like. Out:
// a test with a part for each promise of package platform. The function is
// package subject's: it tells in each answer which process it is and how often
// that has served, so that evidence is not taken on trust. What a platform says
// that it cannot ([platform.Claims]) is checked too, and never skipped in
// silence. That nothing is left is seen from the machine: see package residue.
// What a platform does beyond the promises its own tests look at.
package platformtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// Kit is a platform to be tested.
type Kit struct {
	// Open makes the platform. The kit closes it.
	Open func(testing.TB) platform.Platform
	// Function is the subject as the platform runs it. The kit names it.
	Function platform.Function
	// Left names what there is of the platform's deployments where the kit cannot
	// see it (at an endpoint, in an engine), by another way than the platform's
	// own. It is asked when nothing may be left any more. A platform that deploys
	// nothing may do without.
	Left func(testing.TB) []string
	// Fresh is what the start of a new instance may be called, Reused what a
	// request may whose instance was there. The defaults are Cold alone and
	// Warm alone.
	Fresh, Reused []sample.Start
	// Unlimited is why functions take no limit of their own concurrency on a platform
	// that tells throttling. The default is that they do.
	Unlimited string
	// Patience bounds the wait for any single answer. The default is a minute,
	// for machines that are busy.
	Patience time.Duration
}

// part is one promise.
type part struct {
	name string
	test func(testing.TB, *Kit)
}

func parts() []part {
	return []part{
		{"claims", claims}, {"answers", answers}, {"concurrent", concurrent}, {"evict", evict},
		{"payload limits", payloadLimits}, {"failures", failures}, {"timeout", timeout}, {"throttled", throttled},
		{"cancellation", cancellation}, {"removal", removal}, {"history", history},
	}
}

// Run tests a platform.
func Run(t *testing.T, k Kit) {
	for _, p := range parts() {
		t.Run(p.name, func(t *testing.T) { p.test(t, &k) })
	}
}

func (k *Kit) fresh() []sample.Start   { return either(k.Fresh, sample.Cold) }
func (k *Kit) reused() []sample.Start  { return either(k.Reused, sample.Warm) }
func (k *Kit) patience() time.Duration { return cmp.Or(k.Patience, time.Minute) }

func either(given []sample.Start, otherwise sample.Start) []sample.Start {
	if len(given) == 0 {
		return []sample.Start{otherwise}
	}
	return given
}

// world is a platform that is open, and what it has said so far.
type world struct {
	testing.TB
	kit    *Kit
	p      platform.Platform
	claims platform.Claims
	watch  *residue.Watch

	mu    sync.Mutex
	seen  map[string]string // an instance's own name by the platform's, and the other way round
	taken map[string]bool   // instance and ordinal of each answer
}

// open opens the platform for one part. At its end the platform is closed and
// nothing of it may be left: no process of a function's when it is closed, and
// when what Open has started beside it has ended too, nothing at all.
func (k *Kit) open(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, kit: k, watch: residue.Begin(t), seen: make(map[string]string), taken: make(map[string]bool)}
	t.Cleanup(func() {
		if w.claims.Can(platform.Deploying) { // else the functions are there before and after
			w.expectNone("the end", w.watch.Left)
		}
	})
	w.p = k.Open(t)
	if c, ok := w.p.(platform.Claimant); ok {
		w.claims = c.Claims()
	}
	t.Cleanup(func() {
		if c, ok := w.p.(platform.Closer); ok {
			ctx, cancel := context.WithTimeout(context.Background(), k.patience())
			defer cancel()
			for range 2 {
				if err := c.Close(ctx); err != nil {
					t.Errorf("close: %v", err)
				}
			}
		}
		w.expectNothing("close")
	})
	return w
}

// expectNothing wants that nothing is left of what was deployed.
func (w *world) expectNothing(after string) {
	w.Helper()
	if w.kit.Left == nil && w.claims.Can(platform.Deploying) {
		w.Error("the kit is not told how to see what is left")
		return
	}
	w.expectNone(after, func() []string {
		left := w.watch.Running("")
		if w.kit.Left != nil {
			left = append(left, w.kit.Left(w.TB)...)
		}
		return left
	})
}

// expectNone wants that there is nothing any more. What a platform elsewhere
// takes down after it has said yes may take a while.
func (w *world) expectNone(after string, look func() []string) {
	w.Helper()
	left := look()
	for deadline := time.Now().Add(w.kit.patience() / 2); len(left) > 0 && time.Now().Before(deadline); left = look() {
		time.Sleep(10 * time.Millisecond)
	}
	if len(left) > 0 {
		w.Errorf("after %s there is still: %v", after, left)
	}
}

// declared is whether the platform can do something; that it says it cannot
// is on the record, with its reason.
func (w *world) declared(what platform.Capability) bool {
	w.Helper()
	if !w.claims.Can(what) {
		w.Logf("declared: no %s: %s", what, w.claims.Lacks[what])
		return false
	}
	return true
}

// deployment is one that the part removes at its end.
type deployment struct {
	platform.Deployment
	w *world
}

// deploy deploys the subject, with what edit changes.
func (w *world) deploy(name string, edit ...func(*platform.Function)) *deployment {
	w.Helper()
	d, err := w.tryDeploy(name, edit...)
	if err != nil {
		w.Fatalf("deploy %s: %v", name, err)
	}
	return d
}

// tryDeploy is deploy for a function that a platform may refuse.
func (w *world) tryDeploy(name string, edit ...func(*platform.Function)) (*deployment, error) {
	w.Helper()
	f := w.kit.Function
	f.Name, f.Memory, f.Timeout = name, cmp.Or(f.Memory, 256*units.MB), cmp.Or(f.Timeout, 30*time.Second)
	for _, e := range edit {
		e(&f)
	}
	f.Env = maps.Clone(f.Env)
	if f.Env == nil {
		f.Env = make(map[string]string)
	}
	f.Env[residue.Marker] = w.watch.Mark(name)
	ctx, cancel := context.WithTimeout(w.Context(), w.kit.patience())
	defer cancel()
	made, err := w.p.Deploy(ctx, f)
	if err != nil {
		return nil, err
	}
	d := &deployment{made, w}
	w.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel() // as after an interrupted run
		if err := d.Remove(over); err != nil {
			w.Errorf("remove %s: %v", name, err)
		}
	})
	return d, nil
}

// send invokes with patience.
func (d *deployment) send(ctx context.Context, r subject.Request) (platform.Response, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		d.w.Error(err)
	}
	return d.sendRaw(ctx, payload)
}

func (d *deployment) sendRaw(ctx context.Context, payload []byte) (platform.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, d.w.kit.patience())
	defer cancel()
	sent := time.Now()
	out, err := d.Invoke(ctx, platform.Request{Payload: payload, WantBody: true})
	d.w.checkTimes(&out, sent, time.Now())
	d.w.checkGrade(&out, err)
	if _, ok := platformError(err); err != nil && !ok {
		d.w.Errorf("%s: its error is no *platform.Error: %v", payload[:min(len(payload), 60)], err)
	}
	return out, err
}

// echo wants an answer, to this request and no other, and that what the
// platform says of it agrees with what the function says. What runs for it is
// looked at, to be looked for when it has to be gone.
func (d *deployment) echo(text string) (subject.Answer, platform.Response) {
	d.w.Helper()
	defer d.w.watch.Look()
	return d.answer(subject.Request{Do: subject.Echo, Text: text})
}

func (d *deployment) answer(r subject.Request) (subject.Answer, platform.Response) {
	d.w.Helper()
	out, err := d.send(d.w.Context(), r)
	var a subject.Answer
	switch {
	case err != nil:
		d.w.Errorf("%s %q: %v", r.Do, r.Text, err)
	case json.Unmarshal(out.Body, &a) != nil || a.Text != r.Text:
		d.w.Errorf("%s %q: answered with %.200q", r.Do, r.Text, out.Body)
	default:
		d.w.hold(&a, &out)
	}
	return a, out
}

// hold holds the platform's evidence against the function's own account.
func (w *world) hold(a *subject.Answer, out *platform.Response) {
	w.Helper()
	e := &out.Evidence
	first := a.Ordinal == 1
	switch {
	case w.claims.Grade != sample.NoGrade && e.Start == sample.Unknown:
		w.Errorf("request %d of %s: no evidence, where %s is claimed for each answer", a.Ordinal, a.Instance, w.claims.Grade)
	case (e.Start == sample.Cold || e.Start == sample.Prewarmed) && !first:
		w.Errorf("request %d of %s is called %s, and only the first can be", a.Ordinal, a.Instance, e.Start)
	case e.Start == sample.Warm && first && w.claims.Can(platform.Starting):
		w.Errorf("request 1 of %s is called warm, and its instance was started for it", a.Instance)
	}
	if w.claims.Can(platform.Billing) && out.Billed <= 0 {
		w.Errorf("request %d of %s: no billed duration", a.Ordinal, a.Instance)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	request := fmt.Sprint(a.Instance, " ", a.Ordinal)
	if w.taken[request] {
		w.Errorf("request %d of %s was answered twice", a.Ordinal, a.Instance)
	}
	w.taken[request] = true
	if !w.claims.Can(platform.Naming) {
		return
	}
	for _, pair := range [][2]string{{"own " + a.Instance, e.Instance}, {"told " + e.Instance, a.Instance}} {
		if was, known := w.seen[pair[0]]; e.Instance == "" || known && was != pair[1] {
			w.Errorf("request %d of %s: the platform calls its instance %q", a.Ordinal, a.Instance, e.Instance)
		}
		w.seen[pair[0]] = pair[1]
	}
}

// checkGrade wants evidence of the claimed grade, of a better one or none, also
// beside an error.
func (w *world) checkGrade(out *platform.Response, err error) {
	e := &out.Evidence
	known, claimed := e.Start != sample.Unknown, w.claims.Grade
	if known == (e.Grade == sample.NoGrade) || known && (claimed == sample.NoGrade || e.Grade < claimed) {
		w.Errorf("start %s of grade %s, where %s is claimed (error: %v)", e.Start, e.Grade, w.claims.Grade, err)
	}
}

// checkTimes wants every time to lie within the request. A millisecond is left
// to platforms that round what they tell.
func (w *world) checkTimes(out *platform.Response, sent, done time.Time) {
	const rounding = time.Millisecond
	if at := out.FirstByte; !at.IsZero() && (at.Before(sent) || at.After(done)) {
		w.Errorf("the first byte came at %v, of a request from %v to %v", at, sent, done)
	}
	if at := out.Answered; !at.IsZero() && (at.Before(sent) || at.After(done) || at.Before(out.FirstByte)) {
		w.Errorf("the answer was there at %v, of a request from %v to %v with its first byte at %v", at, sent, done, out.FirstByte)
	}
	b := &out.Evidence.Breakdown
	all := []time.Duration{b.Trigger, b.Queue, b.Provision, b.Boot, b.Init, b.Handler}
	sum := time.Duration(0)
	for _, part := range all {
		sum += part
	}
	if took := done.Sub(sent); slices.Min(all) < 0 || sum > took+rounding {
		w.Errorf("the parts %+v, of a request that took %v", *b, took)
	}
}
