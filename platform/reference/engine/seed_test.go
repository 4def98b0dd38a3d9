package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
)

// TestFunctionsLiveByThemselves: how long an idle instance is kept by a survival
// curve is drawn for each function, and for each of its versions, anew. The same
// seed draws the same.
func TestFunctionsLiveByThemselves(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	lives := func(seed uint64) map[string][]time.Duration {
		got := make(map[string][]time.Duration)
		bubble(t, &memory.Sandbox{Handler: takes(10 * ms)}, engine.Options{
			Seed: seed, Policy: lifecycle.Policy{Survival: []lifecycle.Survivor{{Idle: time.Hour}}},
		}, func(t *testing.T, rt *host) {
			for _, name := range names {
				rt.create(platform.Function{Name: name})
			}
			for range 2 {
				for _, name := range names {
					if _, err := rt.Invoke(t.Context(), name, engine.Invocation{}); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Hour)
				for _, name := range names {
					rt.update(platform.Function{Name: name}) // its versions do not begin alike either
				}
			}
			records, _ := rt.Instances()
			for _, r := range records {
				got[r.Function] = append(got[r.Function], time.Duration(r.Gone-r.Ready).Truncate(time.Second))
			}
		})
		return got
	}
	first, seen := lives(1), make(map[time.Duration]string)
	for _, name := range names {
		if len(first[name]) != 2 {
			t.Fatalf("%s had %d instances, want 2", name, len(first[name]))
		}
		for _, life := range first[name] { // eight of an hour's seconds meet once in 130 seeds; this one's do not
			if other := seen[life]; other != "" || life <= 0 || life > time.Hour {
				t.Errorf("an instance of %s lived for %v, as one of %q", name, life, other)
			}
			seen[life] = name
		}
	}
	if diff := cmp.Diff(first, lives(1)); diff != "" {
		t.Errorf("the same seed gives other lives:\n%s", diff)
	}
	if cmp.Equal(first, lives(2)) {
		t.Error("another seed gives the same lives")
	}
}
