package process_test

import (
	"testing"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/sandboxtest"
)

// TestConformance runs what every sandbox promises.
func TestConformance(t *testing.T) {
	var facts map[string]string
	t.Run("facts", func(t *testing.T) { facts = open(t, process.Options{}).Facts() })
	sandboxtest.Run(t, sandboxtest.Kit{Code: function, Limits: facts["cgroup"] != "none", Open: func(t testing.TB) sandbox.Sandbox {
		s, err := process.New(process.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}
