package wasm_test

import (
	"path/filepath"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/sandboxtest"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
)

// TestConformance runs what every sandbox promises.
func TestConformance(t *testing.T) {
	sandboxtest.Run(t, sandboxtest.Kit{Code: module, Runtime: platform.Wasm, Limits: true, Tmp: true, Inside: true, Open: func(t testing.TB) sandbox.Sandbox {
		s, err := wasm.New(wasm.Options{Cache: filepath.Join(cache, "compiled")})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}
