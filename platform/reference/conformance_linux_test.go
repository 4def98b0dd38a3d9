package reference_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestConformance has each way to start an instance do what every platform has
// to do.
func TestConformance(t *testing.T) {
	need.Linux(t)
	for _, tt := range []struct {
		sandbox, start string
		runtime        platform.Runtime
		fresh          []sample.Start // where it is not always cold
		reused         []sample.Start // where it is not always warm
	}{
		{sandbox: "process", runtime: platform.Go},
		{sandbox: "process", runtime: platform.Python},
		{sandbox: "process", start: "pool", runtime: platform.Python, fresh: []sample.Start{sample.Prewarmed, sample.Cold}},
		{sandbox: "process", start: "zygote", runtime: platform.Python, fresh: []sample.Start{sample.Restored}},
		{sandbox: "process", start: "pause", runtime: platform.Go, reused: []sample.Start{sample.Warm, sample.Restored}},
		{sandbox: "namespace", runtime: platform.Go},
		{sandbox: "wasm", runtime: platform.Wasm},
		{sandbox: "container", runtime: platform.Go},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", tt.sandbox, orPlain(tt.start), tt.runtime), func(t *testing.T) {
			needSandbox(t, tt.sandbox)
			if tt.runtime == platform.Python {
				need.Program(t, "python3")
			}
			function, err := subject.Build(t.TempDir(), tt.runtime, false)
			if err != nil {
				t.Fatal(err)
			}
			function.Sandbox, function.Start = tt.sandbox, tt.start
			var runtimes []int
			platformtest.Run(t, platformtest.Kit{
				Function: function, Fresh: tt.fresh, Reused: tt.reused,
				Open: func(t testing.TB) platform.Platform {
					client := open(t, reference.ClientOptions{Settings: reference.Settings{
						Policy: lifecycle.Policy{KeepAlive: time.Minute}, Sandboxes: []string{tt.sandbox},
					}})
					runtimes = []int{pid(t, client)}
					return client
				},
				Left: func(t testing.TB) (left []string) {
					for _, runtime := range running(runtimes) {
						left = append(left, "process "+strconv.Itoa(runtime))
						left = append(left, groupsOf(t, runtime)...)
					}
					return left
				},
			})
		})
	}
}

func orPlain(start string) string {
	if start == "" {
		return "plain"
	}
	return start
}
