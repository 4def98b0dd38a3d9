package container_test

import (
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/sandboxtest"
)

// TestConformance runs what every sandbox promises.
func TestConformance(t *testing.T) {
	if err := container.Available(t.Context(), container.Options{}); err != nil {
		need.Missing(t, err.Error())
	}
	sandboxtest.Run(t, sandboxtest.Kit{Code: function, Limits: true, Tmp: true, Late: true, Crowd: 3, Open: func(t testing.TB) sandbox.Sandbox {
		s, err := container.New(t.Context(), container.Options{Grace: 3 * time.Second}) // many times what an engine takes to end one
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}
