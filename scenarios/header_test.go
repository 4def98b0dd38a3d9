package scenarios

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Headers are taken from the environment on the platform that is chosen, and
// what it lacks is a fault there alone.
func TestHeadersFromTheEnvironment(t *testing.T) {
	const text = `
name: x
platform:
  - {name: reference}
  - {name: http, url: "http://127.0.0.1:1/", headers: {A: written, B: {env: KEY}, C: {env: LINES}}}
functions: [{name: hello, fixture: hello}]
phases: [{name: p, duration: 1s, arrivals: {process: gap, gap: 1s}}]
`
	environment := map[string]string{"LINES": "two\nlines"}
	env := func(name string) string { return environment[name] }
	for platform, want := range map[string]string{
		"":       "",
		"lambda": "",
		"http": "x.yaml:5:71: variable KEY is not set; set it in the environment: export KEY=...\n" +
			"x.yaml:5:86: variable LINES holds more than one line; set it to one line without a line break",
	} {
		var got string
		if _, err := Parse("x.yaml", []byte(text), Overrides{Platform: platform, Env: env}); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("faults on platform %q (-want +got):\n%s", platform, diff)
		}
	}
	environment = map[string]string{"LINES": "one", "KEY": "word"}
	got := load(t, text, Overrides{Platform: "http", Env: env}).Platform.Headers
	if diff := cmp.Diff(map[string]string{"A": "written", "B": "word", "C": "one"}, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if err := compiled(t).Validate(value(t, []byte(text))); err != nil {
		t.Errorf("the schema: %v", err)
	}
}
