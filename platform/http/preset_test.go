package http

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/fixtures/presets"
)

// TestPresets reads every preset, and wants it to be usable as it is.
func TestPresets(t *testing.T) {
	for _, name := range presets.Names() {
		p, err := FindPreset(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Sources {
			if !strings.Contains(s.Source, "https://") || len(s.AsOf) != len("2026-11-22") {
				t.Errorf("%s: source of %s: %q, %q, want an address and a day", name, s.For, s.Source, s.AsOf)
			}
		}
		if p.Path != "" && !strings.Contains(p.Path, FunctionMark) {
			t.Errorf("%s: path %q is the same for every function", name, p.Path)
		}
		if _, err := New(Options{URL: "https://example.com", Preset: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Options{URL: "https://example.com", Preset: "heroku"}); err == nil || !strings.Contains(err.Error(), `no preset "heroku": there are azure, cloudflare, cloudrun`) {
		t.Errorf("an unknown preset: %v", err)
	}
}

func TestPresetFaults(t *testing.T) {
	const good = "title: t\nrun_against: r\nsources: [{for: f, source: s, as_of: d}]\n"
	if _, err := parsePreset("x", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for want, text := range map[string]string{
		"has no title":             strings.Replace(good, "title", "#", 1),
		"has no run_against":       strings.Replace(good, "run_against", "#", 1),
		"x.yaml:4:1":               good + "pathh: /x\n",
		"credential has no advice": good + "credential: {what: w, header: h}\n",
		"a refusal has no says":    good + "throttled: [{status: 503}]\n",
		"x.yaml:4:22":              good + "throttled: [{status: 99, says: s}]\n",
	} {
		if _, err := parsePreset("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
