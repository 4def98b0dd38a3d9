package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
	lambdaplatform "github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/scenarios"
)

// boundIn is the bound of so many functions of a scenario in a region.
func boundIn(t *testing.T, region string, there stay, functions int, memory, extra, arrivals string) bound {
	t.Helper()
	text := "name: x\nplatform: {name: lambda, role: \"arn:aws:iam::123456789012:role/r\"" + extra + "}\nfunctions:\n"
	arriving := ""
	for i := range functions {
		text += fmt.Sprintf("  - {name: f%d, fixture: hello, memory: %s, timeout: 30s}\n", i, memory)
		arriving += fmt.Sprintf("      - {function: f%d, process: %s}\n", i, arrivals)
	}
	s, err := scenarios.Parse("x.yaml", []byte(text+"phases:\n  - name: p\n    duration: 20m\n    arrivals:\n"+arriving), scenarios.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := boundOf(s, there, region, prices.Open(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBound holds the most that a run may cost against sums by hand, which are
// rounded up as far as they are printed.
func TestBound(t *testing.T) {
	const day = 24 * time.Hour
	provisioned, snapStart := ", provisioned_concurrency: 1", ", snap_start: true"
	for _, tt := range []struct {
		name, region    string
		there           stay
		functions       int
		memory          string
		extra, arrivals string
		want            string // the cost
		kept            time.Duration
		notes           []string // regions whose prices are taken
	}{
		// 10 x (30 s + 10 s of init) x 0.5 GB x $0.0000166667, and 10 x $0.0000002: $0.00333534.
		{name: "requests", functions: 1, memory: "512MB", arrivals: "burst, count: 10", want: "$0.00334"},
		{name: "twice", there: stay{times: 2}, functions: 1, memory: "512MB", arrivals: "burst, count: 10", want: "$0.00668"},
		// 140 x 40 s x 10 GB = 56,000 GB-seconds: at $0.0000166667, and at af-south-1's own $0.0000221: $1.237628.
		{name: "large", functions: 1, memory: "10240MB", arrivals: "burst, count: 140", want: "$0.934"},
		{name: "a region of which the book has one price", region: "af-south-1", functions: 1, memory: "10240MB", arrivals: "burst, count: 140", want: "$1.24",
			notes: []string{"requests of us-east-1"}},
		// At $0.00002292, the dearest: $1.283548.
		{name: "a region of which it has none", region: "mars-north-1", functions: 1, memory: "10240MB", arrivals: "burst, count: 140", want: "$1.29",
			notes: []string{"duration_x86 of ap-east-1", "requests of us-east-1"}},
		// 1 GB for a day, 10 minutes and 30 s at $0.0000015046: $0.130945; 2 restores at $0.0001397998: $0.000280;
		// 2 x 40 s and 900 s of init ahead: $0.016333; 3 requests.
		{name: "a snapshot for a day", there: stay{length: day}, functions: 1, memory: "1024MB", extra: snapStart, arrivals: "burst, count: 2", want: "$0.148", kept: day + 10*time.Minute + 30*time.Second},
		// Three of them: $0.392836; the same restores; 2 x 40 s and 3 x 900 s: $0.046333.
		{name: "and one an eviction", there: stay{length: day}, functions: 1, memory: "1024MB", extra: snapStart, arrivals: "gap, gap: 10m, evict: [lambda]", want: "$0.44", kept: day + 10*time.Minute + 30*time.Second},
		// 6 x 128 MB for 20 minutes, 30 s and 6 x 10 minutes, in steps of 5 minutes (5,100 s): 3,825 GB-seconds at $0.0000041667: $0.015938;
		// 6 x 900 s of init ahead, 6 x (30 s + 900 s): 1,372.5 GB-seconds at $0.0000166667: $0.022875; 12 requests.
		{name: "kept ready", functions: 6, memory: "128MB", extra: provisioned, arrivals: "burst, count: 1", want: "$0.0389", kept: 80*time.Minute + 30*time.Second},
		// 20 minutes more, 6,300 s in steps: $0.019688.
		{name: "beside other platforms", there: stay{others: 2}, functions: 6, memory: "128MB", extra: provisioned, arrivals: "burst, count: 1", want: "$0.0426", kept: 100*time.Minute + 30*time.Second},
	} {
		if tt.region == "" {
			tt.region = "us-east-1"
		}
		got := boundIn(t, tt.region, tt.there, tt.functions, tt.memory, tt.extra, tt.arrivals)
		if got.cost.String() != tt.want || got.kept != tt.kept || len(got.notes) != len(tt.notes) {
			t.Errorf("%s: %v, kept for %v, %q; want %s, %v, notes of %q", tt.name, got.cost, got.kept, got.notes, tt.want, tt.kept, tt.notes)
		}
		for _, want := range tt.notes {
			if all := strings.Join(got.notes, " "); !strings.Contains(all, want) || !strings.Contains(all, tt.region) {
				t.Errorf("%s: %q, want %q in %s", tt.name, got.notes, want, tt.region)
			}
		}
	}
	// 1,000 answers of 6 MB are 5.859375 GB, at $0.09: $0.52734375.
	if got := boundIn(t, "us-east-1", stay{}, 1, "128MB", "", "burst, count: 1000"); got.requests != 1000 || got.transfer.String() != "$0.528" {
		t.Errorf("%d requests, %v of transfer; want 1000 and $0.528", got.requests, got.transfer)
	}
}

// TestBoundIsStated wants what is not in it beside it, and what is paid for
// after a crash.
func TestBoundIsStated(t *testing.T) {
	var said bytes.Buffer
	b := bound{requests: 5, cost: units.Dollar / 2, transfer: units.Cent, kept: time.Hour, notes: []string{"requests of us-east-1."}}
	b.say(&World{Stderr: &said}, "there")
	for _, want := range []string{"there: at most 5 invocations, and at most $0.50", "CloudWatch Logs", "data transfer out, which is $0.01 if each answers 6 MB", "counted for 1h", "costs on until `coldcurve cleanup`", "requests of us-east-1. --prices FILE"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not in %s", want, said.String())
		}
	}
}

// TestHintSuffices takes the hint of a refusal at its word.
func TestHintSuffices(t *testing.T) {
	for _, name := range []string{"spike", "sustained"} {
		s, err := scenarios.Find(name, scenarios.Overrides{Platform: "lambda", Role: "arn:aws:iam::123456789012:role/r"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := boundOf(s, stay{}, "us-east-1", prices.Open(), 0)
		if err != nil {
			t.Fatal(err)
		}
		c := consent{Yes: true, MaxCost: money{units.Cent}}
		refused, ok := errors.AsType[*failure](c.agree(nil, b))
		if !ok {
			t.Fatalf("%s: not refused", name)
		}
		_, amount, _ := strings.Cut(strings.TrimSuffix(refused.hint, "'"), "--max-cost '")
		if err := c.MaxCost.UnmarshalText([]byte(amount)); err != nil {
			t.Fatal(err)
		}
		if err := c.agree(nil, b); err != nil {
			t.Errorf("%s: hint %q, then %v", name, refused.hint, err)
		}
	}
}

func TestConsent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		c      consent
		typed  string
		nobody bool // is there to be asked
		says   string
	}{
		{name: "yes", typed: "y\n"},
		{name: "no", typed: "n\n", says: "not agreed to"},
		{name: "just a return", typed: "\n", says: "not agreed to"},
		{name: "the end of input", says: "not agreed to"},
		{name: "said beforehand", c: consent{Yes: true}, nobody: true},
		{name: "nobody there", nobody: true, says: "nobody is there to be asked"},
		{name: "too much, whatever was said", c: consent{Yes: true, MaxCost: money{1}}, says: "the run may cost $0.50"},
	} {
		if tt.c.MaxCost.Money == 0 {
			tt.c.MaxCost.Money = units.Dollar
		}
		var asked bytes.Buffer
		w := &World{Stdin: strings.NewReader(tt.typed), Stderr: &asked, Terminal: Terminal{In: !tt.nobody}}
		err := tt.c.agree(w, bound{requests: 5, cost: units.Dollar / 2})
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
		if wantAsked := !tt.nobody && !tt.c.Yes; wantAsked != strings.Contains(asked.String(), "[y/N]") {
			t.Errorf("%s: asked %q", tt.name, asked.String())
		}
		if failed, ok := errors.AsType[*failure](err); tt.nobody && tt.says != "" && (!ok || failed.hint == "") {
			t.Errorf("%s: no hint", tt.name)
		}
	}
}

// TestSized bounds what a run on a function that is there may cost by what that
// may take, and not by what the scenario says of it.
func TestSized(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"MemorySize": 1024, "Timeout": 60}`)
	}))
	defer server.Close()
	p, err := lambdaplatform.New(t.Context(), lambdaplatform.Options{Endpoint: server.URL, Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	s := &scenarios.Scenario{Functions: []scenarios.Function{{Name: "made", Memory: 1}, {Name: "there", Existing: "shop", Memory: 1}}}
	got, err := sized(t.Context(), &World{}, p, s)
	if err != nil || got.Functions[0].Memory != 1 || got.Functions[1].Memory != 1024*units.MB || got.Functions[1].Timeout != time.Minute || s.Functions[1].Memory != 1 {
		t.Errorf("got %+v, %v; the scenario has become %+v", got, err, s)
	}
}

// TestUnreadableAccount has an endpoint on this machine lead who knows where, to
// a function that may be invoked and not looked up: nothing is sent to it before
// somebody has said yes to what the largest function would cost.
func TestUnreadableAccount(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s before anybody agreed", r.Method, r.URL)
		}
		w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"message": "is not authorized to perform: lambda:GetFunctionConfiguration"}`)
	}))
	defer server.Close()
	s, err := scenarios.Parse("x.yaml", []byte(`
name: x
platform: {name: lambda, region: us-east-1, endpoint_url: "`+server.URL+`"}
functions: [{name: shop, existing: shop}]
phases: [{name: p, duration: 20s, arrivals: {process: constant, rate: 1/s}}]
`), scenarios.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[units.Money]string{units.Dollar: "and --max-cost is $1", 10 * units.Dollar: "nobody is there to be asked"} {
		var said bytes.Buffer
		c := &runCmd{}
		c.consent.MaxCost.Money = limit
		_, err := openLambda(t.Context(), &World{Stderr: &said}, s, c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("at most %v: %v, want %q", limit, err, want)
		}
		for _, want := range []string{"which may lead to AWS: whose account it is cannot be read (look up shop: AccessDeniedException", "at most 20 invocations, and at most $3.", "counted as the largest that Lambda has, 10 GB, 15m"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("said %q, want %q", said.String(), want)
			}
		}
	}
}

func TestByFunction(t *testing.T) {
	got, err := byFunction("--existing", []string{"shop=arn:aws:lambda:eu-central-1:1:function:shop", "cart=c"})
	if err != nil || got["shop"] != "arn:aws:lambda:eu-central-1:1:function:shop" || got["cart"] != "c" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := byFunction("--existing", []string{"shop-prod:live"}); err != nil || got[""] != "shop-prod:live" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range [][]string{{"shop="}, {"a", "b"}, {"a=1", "a=2"}} {
		if _, err := byFunction("--existing", bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
