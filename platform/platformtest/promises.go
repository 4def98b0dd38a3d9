package platformtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

func platformError(err error) (*platform.Error, bool) { return errors.AsType[*platform.Error](err) }

// claims wants that a platform says what it can, and gives a reason for what it
// says that it cannot.
func claims(t testing.TB, k *Kit) {
	w := k.open(t)
	if _, ok := w.p.(platform.Claimant); !ok {
		t.Fatal("it claims nothing: it is no platform.Claimant")
	}
	if w.claims.Grade == sample.Inferred {
		t.Error("it claims evidence of grade inferred, which never enters a figure")
	}
	for _, what := range platform.Capabilities() {
		if reason, lacks := w.claims.Lacks[what]; lacks && reason == "" {
			t.Errorf("it lacks %s without a reason", what)
		}
	}
	if _, can := w.deploy("claims").Deployment.(platform.Evicter); can != w.claims.Can(platform.Evicting) {
		t.Errorf("its deployments evict: %v, and it claims %v", can, !can)
	}
}

// answers wants that the first request has an instance started, that the next
// find it, and that each is answered.
func answers(t testing.TB, k *Kit) {
	w := k.open(t)
	if h, ok := w.p.(platform.Historian); ok && w.declared(platform.Starting) {
		w.deploy("idle")
		if list, err := h.Instances(t.Context()); err != nil || len(list) > 0 {
			t.Errorf("before any request there are instances %v, %v", list, err)
		}
	}
	d := w.deploy("answers")
	first, out := d.echo("hello 0")
	if w.declared(platform.Starting) && (first.Ordinal != 1 || w.claims.Grade != sample.NoGrade && !slices.Contains(k.fresh(), out.Evidence.Start)) {
		t.Errorf("the first request is number %d of its instance, called %s, want 1, one of %s", first.Ordinal, out.Evidence.Start, k.fresh())
	}
	for i := range 5 {
		d.echo(fmt.Sprint("hello ", i+1))
	}
	if out.Status != 200 {
		t.Errorf("status %d, want 200", out.Status)
	}
}

// concurrent wants each of many requests at once to get its own answer.
func concurrent(t testing.TB, k *Kit) {
	w := k.open(t)
	d := w.deploy("concurrent")
	const callers, each = 12, 4
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for j := range each {
				d.answer(subject.Request{Do: subject.Sleep, MS: 10, Text: fmt.Sprint("caller ", i, " request ", j)})
			}
		})
	}
	all.Wait()
	if n := len(w.taken); n != callers*each {
		t.Errorf("%d of %d requests have an answer of their own", n, callers*each)
	}
}

// evict wants the next start to be that of a new instance, and the one after
// it not.
func evict(t testing.TB, k *Kit) {
	w := k.open(t)
	if !w.declared(platform.Evicting) {
		return
	}
	d := w.deploy("evict")
	e, ok := d.Deployment.(platform.Evicter)
	if !ok {
		t.Fatal("its deployments are no platform.Evicter")
	}
	before, _ := d.echo("before")
	for round := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), k.patience())
		err := e.Evict(ctx)
		cancel()
		if err != nil {
			t.Fatalf("evict: %v", err)
		}
		cold, out := d.echo(fmt.Sprint("cold ", round))
		if cold.Ordinal != 1 || cold.Instance == before.Instance || !slices.Contains(k.fresh(), out.Evidence.Start) {
			t.Errorf("after evict: request %d of %s, called %s, want 1 of another than %s, one of %s",
				cold.Ordinal, cold.Instance, out.Evidence.Start, before.Instance, k.fresh())
		}
		warm, out := d.echo(fmt.Sprint("warm ", round))
		if warm.Ordinal != 2 || warm.Instance != cold.Instance || !slices.Contains(k.reused(), out.Evidence.Start) {
			t.Errorf("after that: request %d of %s, called %s, want 2 of %s, one of %s",
				warm.Ordinal, warm.Instance, out.Evidence.Start, cold.Instance, k.reused())
		}
		before = warm
	}
}

// padded is a request of so many bytes.
func padded(size units.Bytes) []byte {
	const open, end = `{"do":"echo","text":"","pad":"`, `"}`
	fill := bytes.Repeat([]byte("x"), int(size)-len(open)-len(end))
	return append(append([]byte(open), fill...), end...)
}

// payloadLimits wants what is within the limits to pass whole, what is beyond
// to be refused as that, and the function to be there afterwards.
func payloadLimits(t testing.TB, k *Kit) {
	w := k.open(t)
	d := w.deploy("payload")
	const plenty = units.MB // where the platform has no limit of its own
	refused := func(what string, err error) {
		t.Helper()
		if kind := platform.KindOf(err); kind != sample.Payload {
			t.Errorf("%s beyond the limit: %v (%s), want kind payload", what, err, kind)
		}
	}
	if limit := w.claims.Payload; limit > 0 {
		_, err := d.sendRaw(t.Context(), padded(limit+1))
		refused("a request", err)
	}
	size := plenty
	if w.claims.Payload > 0 {
		size = w.claims.Payload
	}
	out, err := d.sendRaw(t.Context(), padded(size))
	var whole subject.Answer
	if err != nil || json.Unmarshal(out.Body, &whole) != nil || whole.Size != int(size) {
		t.Errorf("a request of %v: %.200q, %v", size, out.Body, err)
	}
	size = plenty
	if limit := w.claims.Response; limit > 0 {
		size = limit
		_, err := d.send(t.Context(), subject.Request{Do: subject.Large, Bytes: int(limit) + 1})
		refused("a response", err)
	}
	out, err = d.send(t.Context(), subject.Request{Do: subject.Large, Bytes: int(size)})
	if err != nil || len(out.Body) != int(size) {
		t.Errorf("a response of %v: %d bytes, %v", size, len(out.Body), err)
	}
	d.echo("after all")
}

// failed wants a failure, of its kind where the platform tells that from others.
func (w *world) failed(what string, err error, kind sample.ErrorKind) {
	w.Helper()
	switch got := platform.KindOf(err); {
	case err == nil:
		w.Errorf("%s: no error, want kind %s", what, kind)
	case w.claims.Tells(kind) && got != kind:
		w.Errorf("%s: %v: kind %s, want %s", what, err, got, kind)
	case !w.claims.Tells(kind):
		w.Logf("declared: %s is not told from others: %s", kind, got)
	}
}

// failures wants each kind of failure told, and the function to be there after
// it.
func failures(t testing.TB, k *Kit) {
	w := k.open(t)
	d := w.deploy("failures")
	_, err := d.send(t.Context(), subject.Request{Do: subject.Fail, Text: "no stock"})
	w.failed("a handler that fails", err, sample.Handler)
	d.echo("after a failure")
	if !w.declared(platform.Deploying) || !w.declared(platform.Starting) {
		return // whose process is not the platform's to start again
	}
	_, err = d.send(t.Context(), subject.Request{Do: subject.Exit})
	w.failed("a process that ends", err, sample.Crash)
	d.echo("after a crash")
	broken, err := w.tryDeploy("broken", func(f *platform.Function) { f.Env = map[string]string{subject.BrokenInit: "1"} })
	if _, ok := platformError(err); ok {
		return // it loads functions when they are deployed, and says so then
	} else if err != nil {
		t.Fatal(err)
	}
	_, err = broken.send(t.Context(), subject.Request{Do: subject.Echo})
	w.failed("an init that fails", err, sample.Init)
}

// forever is longer than any test waits.
const forever = 10 * 60 * 1000 // ms

// timeout wants a function that exceeds its time to be given up.
func timeout(t testing.TB, k *Kit) {
	w := k.open(t)
	// An echo has so much time, too, however busy the machine is.
	d := w.deploy("timeout", func(f *platform.Function) { f.Timeout = 2 * time.Second })
	_, err := d.send(t.Context(), subject.Request{Do: subject.Sleep, MS: forever})
	w.failed("a request beyond its time", err, sample.Timeout)
	d.echo("after a timeout")
}

// throttled wants a request beyond the function's concurrency to be refused as
// that. Which of two requests comes first is nobody's to say, so the second is
// sent until it has met the first.
func throttled(t testing.TB, k *Kit) {
	w := k.open(t)
	if !w.claims.Tells(sample.Throttled) || !w.declared(platform.Starting) {
		t.Log("declared: it refuses nothing for want of concurrency")
		return
	}
	d, err := w.tryDeploy("throttled", func(f *platform.Function) { f.Reserved = 1 })
	switch {
	case err == nil:
	case platform.KindOf(err) == sample.Refused && k.Unlimited != "":
		t.Logf("declared: functions have no limit of concurrency: %s: %v", k.Unlimited, err)
		return
	default:
		t.Fatalf("it claims to tell throttled, and takes no limit of concurrency that a request could exceed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := d.send(ctx, subject.Request{Do: subject.Sleep, MS: 20_000})
		ended <- err
	}()
	for done := false; !done; {
		_, err := d.send(t.Context(), subject.Request{Do: subject.Echo})
		select {
		case first := <-ended:
			ended <- first
			if platform.KindOf(first) != sample.Throttled { // the second was there before it
				t.Errorf("two at once with a concurrency of 1: %v, %v", first, err)
			}
			done = true
		default:
			done = platform.KindOf(err) == sample.Throttled
		}
	}
	cancel()
	<-ended
}

// cancellation wants a caller that goes to be let go, and the function to be
// there for others.
func cancellation(t testing.TB, k *Kit) {
	w := k.open(t)
	d := w.deploy("cancelled")
	d.echo("before")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.send(over, subject.Request{Do: subject.Echo})
	if kind := platform.KindOf(err); kind != sample.Cancelled {
		t.Errorf("a caller that has gone before: %v (%s), want kind cancelled", err, kind)
	}
	going, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err = d.send(going, subject.Request{Do: subject.Sleep, MS: forever})
	if kind := platform.KindOf(err); kind != sample.Cancelled {
		t.Errorf("a caller that goes: %v (%s), want kind cancelled", err, kind)
	}
	late, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = d.send(late, subject.Request{Do: subject.Sleep, MS: forever})
	if kind := platform.KindOf(err); kind != sample.Timeout {
		t.Errorf("a caller whose time is up: %v (%s), want kind timeout", err, kind)
	}
	d.echo("after")
}

// removal wants a deployment to go for good, others to stay, and its name to be
// free.
func removal(t testing.TB, k *Kit) {
	w := k.open(t)
	stays, goes := w.deploy("stays"), w.deploy("goes")
	stays.echo("here")
	goes.echo("here")
	for range 2 {
		if err := goes.Remove(t.Context()); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	w.expectNone("remove", func() []string { return w.watch.Running("goes") })
	stays.echo("still here")
	if !w.declared(platform.Deploying) {
		return
	}
	if _, err := goes.send(t.Context(), subject.Request{Do: subject.Echo}); err == nil {
		t.Error("what was removed answers")
	}
	w.deploy("goes").echo("here again")
	again := w.deploy("goes-again") // never invoked
	var both sync.WaitGroup
	for _, d := range []*deployment{stays, again} {
		both.Go(func() {
			if err := d.Remove(t.Context()); err != nil {
				t.Errorf("remove two at once: %v", err)
			}
		})
	}
	both.Wait()
}

// history wants every instance that evidence names to be in the record of lives.
func history(t testing.TB, k *Kit) {
	w := k.open(t)
	h, ok := w.p.(platform.Historian)
	if !ok {
		t.Log("declared: it keeps no record of lives: it is no platform.Historian")
		return
	}
	if !w.declared(platform.Naming) {
		return
	}
	d := w.deploy("history")
	named := make(map[string]int)
	for i := range 3 {
		_, out := d.echo(strconv.Itoa(i))
		named[out.Evidence.Instance]++
	}
	list, err := h.Instances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if n := named[r.ID]; uint64(n) != r.Invocations || r.Function != "history" {
			t.Errorf("instance %s of %s: %d invocations in its life, want %d of history", r.ID, r.Function, r.Invocations, n)
		}
		delete(named, r.ID)
	}
	if len(named) > 0 {
		t.Errorf("instances without a life: %v", named)
	}
}
