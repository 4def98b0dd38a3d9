package catalog_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// TestAnotherVersionIsTold: once of each function, and of what there is now.
func TestAnotherVersionIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		told := make(map[string]int)
		s := open(t, &preparing{takes: time.Second, runs: [2]string{"this machine's Python 3.11.2", "3.11.2"}}, catalog.Options{
			Log: func(format string, args ...any) {
				mu.Lock()
				defer mu.Unlock()
				told[fmt.Sprintf(format, args...)]++
			},
		})
		defer s.close()
		for name, runtime := range map[string]string{"hello": "python3.12", "kept": "python3.11", "old": "python3.9", "any": "python"} {
			n := hello(t)
			n.Name, n.Runtime, n.Handler, n.Publish = name, runtime, "index.handler", name == "hello"
			must[catalog.Function](t)(s.Create(n))
		}
		if notes := s.Notes(); len(notes) > 0 {
			t.Errorf("before anything is known: %q", notes)
		}
		s.settle()
		s.settle()
		s.answers("again ")
		want := []string{
			"functions that ask for python3.12 run on this machine's Python 3.11.2: hello",
			"functions that ask for python3.9 run on this machine's Python 3.11.2: old",
		}
		if diff := cmp.Diff(want, s.Notes()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(map[string]int{
			"function hello asks for python3.12 and runs on this machine's Python 3.11.2": 1,
			"function old asks for python3.9 and runs on this machine's Python 3.11.2":    1,
		}, told); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		if err := s.Delete(t.Context(), "hello", ""); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[1:], s.Notes()); diff != "" {
			t.Errorf("notes without it (-want +got):\n%s", diff)
		}
	})
}
