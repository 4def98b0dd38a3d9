package cli

import (
	"fmt"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
	"github.com/coldcurve/coldcurve/scenarios"
)

// TestScenariosKnowWhatSandboxesCan holds what a scenario may ask for against
// what the sandboxes have.
func TestScenariosKnowWhatSandboxesCan(t *testing.T) {
	boxes := map[string]sandbox.Sandbox{
		"process": (*process.Sandbox)(nil), "namespace": (*namespace.Sandbox)(nil),
		"wasm": (*wasm.Sandbox)(nil), "container": (*container.Sandbox)(nil),
	}
	for _, name := range reference.SandboxNames() {
		box := boxes[name]
		if box == nil {
			t.Errorf("sandbox %s is not among those that this test looks at", name)
			continue
		}
		_, pool := box.(sandbox.Stocker)
		_, zygote := box.(sandbox.Brooder)
		runtime := platform.Python // which can all of it where the sandbox can
		if name == "wasm" {
			runtime = platform.Wasm
		}
		for start, want := range map[string]bool{"plain": true, "pool": pool, "zygote": zygote} {
			text := fmt.Sprintf("name: x\nfunctions: [{name: f, fixture: hello, runtime: %s, sandbox: %s, start: %s}]\n"+
				"phases: [{name: p, duration: 1s, arrivals: {process: gap, gap: 1s}}]\n", runtime, name, start)
			if _, err := scenarios.Parse("x.yaml", []byte(text), scenarios.Overrides{}); (err == nil) != want {
				t.Errorf("%s in %s, %s: the sandbox can: %v, the scenario says %v", runtime, name, start, want, err)
			}
		}
	}
}
