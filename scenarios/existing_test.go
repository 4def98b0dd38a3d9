package scenarios

import (
	"slices"
	"strings"
	"testing"
)

const there = `
name: x
platform: {name: lambda, region: eu-central-1}
functions:
  - {name: shop, existing: "shop-prod:live"}
  - {name: cart, fixture: hello}
phases:
  - name: p
    duration: 10s
    arrivals: [{function: shop, process: gap, gap: 1s, evict: [lambda]}, {function: cart, process: gap, gap: 1s, evict: [lambda]}]
`

// evicted are the functions that a scenario puts away.
func evicted(s *Scenario) (names []string) {
	for a := range s.arrivals() {
		if len(a.Evict) > 0 {
			names = append(names, a.Function)
		}
	}
	return names
}

// TestExisting wants a function that is there to need no code, to get no payload
// that it does not know, and to be put away on demand only.
func TestExisting(t *testing.T) {
	got := load(t, there, Overrides{})
	if f := got.Functions; f[0].Existing != "shop-prod:live" || f[0].Payload.Data != nil || f[1].Existing != "" || f[1].Payload.Data == nil {
		t.Errorf("functions %+v", f)
	}
	if e := evicted(got); !slices.Equal(e, []string{"cart"}) || !strings.Contains(strings.Join(got.Notes, "\n"), "shop: there already, and not to be changed") {
		t.Errorf("put away are %v, notes %q, want cart alone and a note on shop", e, got.Notes)
	}
	got = load(t, there, Overrides{Change: true, Existing: map[string]string{"cart": "cart-prod"}})
	if e := evicted(got); !slices.Equal(e, []string{"shop", "cart"}) || len(got.Notes) > 0 || got.Functions[1].Existing != "cart-prod" || got.Functions[1].Payload.Data != nil {
		t.Errorf("put away are %v, notes %q, functions %+v, want both put away as they may be changed", e, got.Notes, got.Functions)
	}
	inFile := strings.Replace(there, "eu-central-1", "eu-central-1, change_existing: true", 1)
	if e := evicted(load(t, inFile, Overrides{})); !slices.Equal(e, []string{"shop", "cart"}) {
		t.Errorf("put away are %v, want both", e)
	}
	both := strings.Replace(there, "existing:", "fixture: hello, existing:", 1)
	if f := load(t, both, Overrides{Platform: "reference"}).Functions; f[0].Existing != "" || f[0].Payload.Data == nil {
		t.Errorf("elsewhere its name counts: %+v", f[0])
	}
	only := strings.Replace(strings.Replace(there, "  - {name: cart, fixture: hello}\n", "", 1), ", {function: cart, process: gap, gap: 1s, evict: [lambda]}", "", 1)
	if f := load(t, only, Overrides{Existing: map[string]string{"": "other"}}).Functions; f[0].Existing != "other" {
		t.Errorf("the only one is %+v, want other", f[0])
	}
}

func TestExistingFaults(t *testing.T) {
	for want, o := range map[string]Overrides{
		`x.yaml:5:5: the function has neither fixture nor code`:                                     {Platform: "reference"},
		`--existing: platform reference has no such option; leave it out, or add --platform lambda`: {Platform: "reference", Existing: map[string]string{"cart": "c"}},
		`--change-existing: platform reference has no such option; leave it out`:                    {Platform: "reference", Change: true},
		`--existing: unknown function "card"; write cart (there are: shop, cart)`:                   {Existing: map[string]string{"card": "c"}},
		`--existing: the scenario has 2 functions; say which one is meant: shop=c`:                  {Existing: map[string]string{"": "c"}},
	} {
		_, err := Parse("x.yaml", []byte(there), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	none := strings.Replace(there, `existing: "shop-prod:live"`, "fixture: hello", 1)
	_, err := Parse("x.yaml", []byte(none), Overrides{Change: true})
	if want := "--change-existing: no function of the scenario is there already; add --existing NAME, or leave it out"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	load(t, none, Overrides{Change: true, Existing: map[string]string{"cart": "cart-prod"}})
}

// TestWholeOnLambda wants limits that Lambda does not have refused with the file,
// and only of functions that are to be deployed there.
func TestWholeOnLambda(t *testing.T) {
	odd := strings.NewReplacer("existing: ", "timeout: 2500ms, existing: ", "name: cart,", "name: cart, timeout: 1500ms, memory: 1300KB,").Replace(there)
	_, err := Parse("x.yaml", []byte(odd), Overrides{})
	for _, want := range []string{
		"x.yaml:6:5: timeout 1.5s on platform lambda, whose are whole seconds; write timeout: 2s",
		"x.yaml:6:5: memory or storage on platform lambda, whose are whole MB; write for example 512MB",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "x.yaml:5:") {
		t.Errorf("of one that is there already: %v", err)
	}
	load(t, strings.NewReplacer(`existing: "shop-prod:live"`, "fixture: hello, timeout: 2500ms").Replace(there), Overrides{Platform: "reference"})
}
