package lambda_test

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/platform/platformtest"
)

// adopt opens an endpoint whose function shop is there.
func adopt(t *testing.T, a *api, o lambda.Options) (*lambda.Platform, platform.Deployment) {
	t.Helper()
	a.there = true
	o.Endpoint, o.Existing = a.serve(t), true
	p := open(t, o)
	d, err := p.Deploy(t.Context(), platform.Function{Name: "hello", Existing: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	return p, d
}

// TestExistingIsInvokedAlone wants nothing asked of a function that is there but
// to serve, and the beacon among its answers' headers believed where there is no
// report.
func TestExistingIsInvokedAlone(t *testing.T) {
	alone(t)
	answers := []string{
		`{"headers": {"x-coldcurve-instance": "a", "X-Coldcurve-Ordinal": "1", "Retry": 5}}`,
		`{"headers": {"x-coldcurve-instance": "a", "X-Coldcurve-Ordinal": "2"}}`,
		`{"headers": {"x-coldcurve-instance": "a", "X-Coldcurve-Ordinal": "1"}}`,
		`{"headers": "none"}`,
		`"a text"`,
	}
	var asked []string
	a := &api{answer: func(w http.ResponseWriter, operation string) bool {
		body := answers[0]
		asked, answers = append(asked, operation), answers[1:]
		_, _ = io.WriteString(w, body)
		return true
	}}
	p, d := adopt(t, a, lambda.Options{})
	if _, can := d.(platform.Evicter); can || p.Claims().Can(platform.Evicting) || p.Claims().Can(platform.Deploying) {
		t.Error("what is not to be changed can be evicted or deployed")
	}
	beacon := func(start sample.Start) platform.Evidence {
		return platform.Evidence{Start: start, Grade: sample.Beacon, Instance: "a"}
	}
	for i, want := range []platform.Evidence{beacon(sample.Cold), beacon(sample.Warm), {Instance: "a"}, {}, {}} {
		if out, err := d.Invoke(t.Context(), platform.Request{}); err != nil || out.Evidence != want {
			t.Errorf("answer %d: %+v, %v, want %+v", i, out.Evidence, err, want)
		}
	}
	for range 2 {
		if err := d.Remove(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(asked, ", "); got != strings.TrimSuffix(strings.Repeat("POST invocations, ", 5), ", ") || !a.there {
		t.Errorf("asked %s; still there: %v", got, a.there)
	}
	about, _ := p.Describe(t.Context())
	notes := strings.Join(about.Notes, "\n")
	for _, want := range []string{"3 answers came without a report or a beacon that can be believed", "1 beacons say what cannot be"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
}

// TestExistingIsPutBack wants a function that was changed on demand to have the
// variables that it had, whatever the run came to.
func TestExistingIsPutBack(t *testing.T) {
	alone(t)
	a := &api{env: map[string]string{"LEVEL": "debug"}}
	_, d := adopt(t, a, lambda.Options{Change: true})
	own := map[string]string{"LEVEL": "info", "ADDED": "yes"} // by somebody else, in the middle of the run
	for range 2 {
		if err := d.(platform.Evicter).Evict(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a.env["LEVEL"] == "debug" {
			a.revision, a.env = a.revision+1, maps.Clone(own)
		}
	}
	if a.env["LEVEL"] != "info" || a.env["ADDED"] != "yes" || !strings.HasPrefix(a.env["COLDCURVE_EVICTION"], "2 by coldcurve run=") {
		t.Errorf("after two evictions it has %v", a.env)
	}
	own["LATER"], a.env["LATER"] = "yes", "yes"
	if err := d.Remove(t.Context()); err != nil || !maps.Equal(a.env, own) || !a.there {
		t.Errorf("afterwards it has %v, %v, still there: %v, want %v", a.env, err, a.there, own)
	}
	before := a.revision
	if err := d.Remove(t.Context()); err != nil || a.revision != before {
		t.Errorf("removed again it is changed again: %v", err)
	}
}

// TestExistingAllTheTime is of a function that somebody else changes whenever it
// is to be changed, right before that or right after: that ends.
func TestExistingAllTheTime(t *testing.T) {
	alone(t)
	for _, when := range []string{"PUT configuration", "GET configuration"} {
		a := &api{}
		_, d := adopt(t, a, lambda.Options{Change: true})
		changes := 0
		a.answer = func(_ http.ResponseWriter, operation string) bool {
			if operation == when {
				changes++
				a.revision, a.env = a.revision+1, map[string]string{"THEIRS": strconv.Itoa(changes)}
			}
			return false
		}
		platformtest.ExpectFailure(t, d.(platform.Evicter).Evict(t.Context()), sample.Refused, "evict hello: somebody else changes shop all the time", "")
		a.answer = nil
		if err := d.Remove(t.Context()); err != nil || a.env["THEIRS"] != strconv.Itoa(changes) || a.env["COLDCURVE_EVICTION"] != "" {
			t.Errorf("changed at %s: afterwards it has %v, %v; want the last of %d changes alone", when, a.env, err, changes)
		}
	}
}

// TestExistingAfterAKill has a run end between an eviction and what puts that
// back: the next one evicts all the same, and the variable is found and taken.
func TestExistingAfterAKill(t *testing.T) {
	alone(t)
	a := &api{env: map[string]string{"LEVEL": "debug"}}
	p, killed := adopt(t, a, lambda.Options{Change: true, Run: "abc"})
	next, err := p.Deploy(t.Context(), platform.Function{Name: "hello", Existing: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []platform.Deployment{killed, next} {
		if err := d.(platform.Evicter).Evict(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	list, err := p.Leftovers(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "variable COLDCURVE_EVICTION of hello" || list[0].On != "hello" || list[0].Run != "abc" || !list[0].Alive {
		t.Fatalf("leftovers %+v, %v", list, err)
	}
	for range 2 { // the second finds nothing to be done
		if err := p.Take(t.Context(), list[0]); err != nil {
			t.Fatal(err)
		}
	}
	if want := map[string]string{"LEVEL": "debug"}; !maps.Equal(a.env, want) || !a.there {
		t.Errorf("afterwards it has %v, still there: %v, want %v", a.env, a.there, want)
	}
	a.env["COLDCURVE_EVICTION"] = "7" // which its owner has set
	if list, err := p.Leftovers(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("leftovers %+v, %v, want none", list, err)
	}
}

// TestExistingReady has the first report of an instance that was started long
// before the request, as proactive initialization and provisioned concurrency do.
func TestExistingReady(t *testing.T) {
	alone(t)
	const line = "REPORT RequestId: ID\tDuration: 0.01 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB\tInit Duration: "
	for init, want := range map[string]sample.Start{"600000.00 ms": sample.Provisioned, "0.00 ms": sample.Cold} {
		a := &api{report: line + init, answer: func(http.ResponseWriter, string) bool {
			time.Sleep(2 * time.Millisecond) // longer than the report says that the cold one took
			return false
		}}
		p, d := adopt(t, a, lambda.Options{})
		memory := func(want string) {
			t.Helper()
			about, err := p.Describe(t.Context())
			if got, told := about.Facts[platform.MemoryFact("hello")]; err != nil || !told || got != want {
				t.Errorf("memory %q, told: %v, %v; want %q", got, told, err, want)
			}
		}
		memory("") // before a report tells it
		if out, err := d.Invoke(t.Context(), platform.Request{}); err != nil || out.Evidence.Start != want || out.Evidence.Grade != sample.Attested {
			t.Errorf("init of %s: %+v, %v, want %s", init, out.Evidence, err, want)
		}
		memory("128 MB")
	}
}

func TestExistingRefusals(t *testing.T) {
	alone(t)
	endpoint := (&api{}).serve(t)
	p := open(t, lambda.Options{Endpoint: endpoint, Existing: true, Change: true})
	for name, want := range map[string]string{
		"shop:live": "shop:live is a version or an alias",
		"arn:aws:lambda:eu-central-1:123456789012:function:shop:7": "is a version or an alias",
		"": "nobody says what it is called",
	} {
		_, err := p.Deploy(t.Context(), platform.Function{Name: "hello", Existing: name})
		if err == nil || !strings.Contains(err.Error(), want) || platform.KindOf(err) != sample.Refused {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
	if _, err := p.Deploy(t.Context(), platform.Function{Name: "hello", Existing: "arn:aws:lambda:eu-central-1:123456789012:function:shop"}); err != nil {
		t.Errorf("an ARN without a version: %v", err)
	}
	invokesOnly := (&api{answer: refuse("GET configuration", 404, "UnknownError", "Not Found")}).serve(t)
	_, err := open(t, lambda.Options{Endpoint: invokesOnly, Existing: true, Change: true}).Deploy(t.Context(), platform.Function{Name: "hello", Existing: "shop"})
	platformtest.ExpectFailure(t, err, sample.Refused, "prepare hello: HTTP 404 Not Found: Not Found", "leave --change-existing out")
	secret := &api{answer: func(w http.ResponseWriter, operation string) bool {
		if operation == "GET configuration" {
			_, _ = io.WriteString(w, `{"State": "Active", "Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt"}}}`)
		}
		return operation == "GET configuration"
	}}
	_, err = open(t, lambda.Options{Endpoint: secret.serve(t), Existing: true, Change: true}).Deploy(t.Context(), platform.Function{Name: "hello", Existing: "shop"})
	platformtest.ExpectFailure(t, err, sample.Refused, "prepare hello: its variables cannot be read, to be put back: kms:Decrypt", "")
}

// TestSize wants what a function may really take, which bounds what it may cost.
func TestSize(t *testing.T) {
	alone(t)
	a := &api{answer: func(w http.ResponseWriter, operation string) bool {
		_, _ = io.WriteString(w, `{"MemorySize": 512, "Timeout": 90, "EphemeralStorage": {"Size": 1024}}`)
		return true
	}}
	got, err := open(t, lambda.Options{Endpoint: a.serve(t), Existing: true}).Size(t.Context(), "shop")
	if want := (lambda.Size{Memory: 512 * units.MB, Storage: 1024 * units.MB, Timeout: 90 * time.Second}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
