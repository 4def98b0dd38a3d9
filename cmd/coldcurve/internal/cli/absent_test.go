package cli

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

// TestWhoIsSpared: one of several ways to run a function may be left out while
// another is there, the function itself not.
func TestWhoIsSpared(t *testing.T) {
	s := &scenarios.Scenario{Functions: []scenarios.Function{
		{Name: "a-process", Of: "a"}, {Name: "a-container", Of: "a"}, {Name: "b-container", Of: "b"}, {Name: "b-wasm", Of: "b"}, {Name: "c"},
	}}
	c := &cast{absent: []absence{{"b-wasm", errors.New("no modules")}}}
	for _, name := range []string{"a-process", "a-container", "b-container", "c"} {
		c.present = append(c.present, platform.Function{Name: name})
	}
	for name, want := range map[string]bool{"a-container": true, "a-process": true, "b-container": false, "c": false} {
		if got := c.spare(name, s); got != want {
			t.Errorf("%s may be left out: %v, want %v", name, got, want)
		}
	}
	c.leave("a-container", errors.New("no\nimage"))
	if c.spare("a-process", s) {
		t.Error("a-process may be left out, and a-container has been")
	}
	c.leave("b-container", errors.New("no modules"))
	want := []string{"left out: b-wasm, b-container: no modules", "left out: a-container: no image"}
	if diff := cmp.Diff(want, c.notes()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
