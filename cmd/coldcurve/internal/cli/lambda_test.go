package cli

import (
	"bytes"
	"errors"
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

// TestBound holds the most that a run may cost against a sum by hand: ten
// requests of half a gigabyte, each 20 s of its timeout and 10 s of init.
func TestBound(t *testing.T) {
	s, err := scenarios.Parse("x.yaml", []byte(`
name: x
platform: {name: lambda, region: us-east-1, role: "arn:aws:iam::123456789012:role/r"}
functions: [{name: hello, fixture: hello, memory: 512MB, timeout: 20s}]
phases: [{name: p, duration: 10s, arrivals: {process: constant, rate: 1/s}}]
`), scenarios.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := boundOf(s, stay{}, "us-east-1", prices.Open(), 0)
	want := bound{requests: 10, cost: 2_000 + 2_500_005} // $0.0000002 each; 150 GB-seconds at $0.0000166667
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	s.Platform.Lambda.Provisioned = 3
	if more, err := boundOf(s, stay{}, "us-east-1", prices.Open(), 0); err != nil || more.cost <= got.cost {
		t.Errorf("with instances kept ready: %+v, %v, want more than %v", more, err, got.cost)
	}
	s.Platform.Lambda.Provisioned = 0
	if twice, err := boundOf(s, stay{times: 2, length: time.Minute}, "us-east-1", prices.Open(), 0); err != nil || twice.requests != 20 || twice.cost < 2*want.cost-1 || twice.cost > 2*want.cost {
		t.Errorf("twice: %+v, %v, want 20 requests and %v", twice, err, 2*want.cost)
	}
	far, err := boundOf(s, stay{}, "mars-north-1", prices.Open(), 0)
	if err != nil || far.cost != got.cost || !strings.Contains(far.doubt, "us-east-1") || !strings.Contains(far.doubt, "mars-north-1") {
		t.Errorf("in a region without prices: %+v, %v, want %v with a doubt", far, err, got.cost)
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
	got, err := sized(t.Context(), p, s)
	if err != nil || got.Functions[0].Memory != 1 || got.Functions[1].Memory != 1024*units.MB || got.Functions[1].Timeout != time.Minute || s.Functions[1].Memory != 1 {
		t.Errorf("got %+v, %v; the scenario has become %+v", got, err, s)
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
