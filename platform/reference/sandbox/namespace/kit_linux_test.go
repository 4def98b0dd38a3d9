package namespace_test

import (
	"testing"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/sandboxtest"
)

// TestConformance runs what every sandbox promises.
func TestConformance(t *testing.T) {
	var facts map[string]string
	t.Run("facts", func(t *testing.T) { facts = open(t, namespace.Options{}).Facts() })
	if facts == nil {
		return // it cannot run here, and has said why
	}
	sandboxtest.Run(t, sandboxtest.Kit{Code: function, Limits: facts["cgroup"] != "none", Tmp: true, Open: func(t testing.TB) sandbox.Sandbox {
		s, err := namespace.New(namespace.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}
