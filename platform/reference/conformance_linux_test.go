package reference_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container/imagetest"
)

// TestConformance has each way to start an instance do what every platform has
// to do.
func TestConformance(t *testing.T) {
	need.Linux(t)
	pooled := []sample.Start{sample.Prewarmed, sample.Cold} // cold where the next one is not booted yet
	paused := []sample.Start{sample.Restored, sample.Warm}  // warm for who comes before the pause
	for _, tt := range []struct {
		sandbox, start string
		runtime        platform.Runtime
		fresh          []sample.Start // where it is not always cold
		reused         []sample.Start // where it is not always warm
	}{
		{sandbox: "process", runtime: platform.Go},
		{sandbox: "process", runtime: platform.Python},
		{sandbox: "process", runtime: platform.NodeJS},
		{sandbox: "process", start: "pool", runtime: platform.Python, fresh: pooled},
		{sandbox: "process", start: "pool", runtime: platform.NodeJS, fresh: pooled},
		{sandbox: "process", start: "zygote", runtime: platform.Python, fresh: []sample.Start{sample.Restored}},
		{sandbox: "process", start: "pause", runtime: platform.Go, reused: paused},
		{sandbox: "namespace", runtime: platform.Go},
		{sandbox: "namespace", runtime: platform.Python},
		{sandbox: "namespace", start: "pause", runtime: platform.NodeJS, reused: paused},
		{sandbox: "wasm", runtime: platform.Wasm},
		{sandbox: "container", runtime: platform.Go},
		{sandbox: "container", start: "pause", runtime: platform.Python, reused: paused},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", tt.sandbox, orPlain(tt.start), tt.runtime), func(t *testing.T) {
			needSandbox(t, tt.sandbox)
			function, err := subject.Build(t.TempDir(), tt.runtime, false)
			if err != nil {
				t.Fatal(err)
			}
			function.Sandbox, function.Start = tt.sandbox, tt.start
			bases := basesFor(t, tt.sandbox, tt.runtime)
			var serving int
			platformtest.Run(t, platformtest.Kit{
				Function: function, Fresh: tt.fresh, Reused: tt.reused,
				Open: func(t testing.TB) platform.Platform {
					client := open(t, reference.ClientOptions{Env: residue.Inherited(), Settings: reference.Settings{
						Policy: lifecycle.Policy{KeepAlive: time.Minute}, Sandboxes: []string{tt.sandbox}, Bases: bases,
					}})
					serving = pid(t, client)
					return client
				},
				Left: func(t testing.TB) []string {
					left := groupsOf(serving)
					if tt.sandbox == "container" {
						left = append(left, imagetest.Left(t, serving)...)
					}
					return left
				},
			})
		})
	}
}

// basesFor is the image that a sandbox needs for functions in a language, if it
// needs one, and wants the interpreter to be on this machine.
func basesFor(t *testing.T, box string, language platform.Runtime) map[platform.Runtime]string {
	t.Helper()
	program, interpreted := map[platform.Runtime]string{platform.NodeJS: "node", platform.Python: "python3"}[language]
	if !interpreted {
		return nil
	}
	need.Program(t, program)
	if box != "container" {
		return nil
	}
	base := "coldcurve-test/reference-" + string(language) + ":1"
	imagetest.Interpreter(t, base, language)
	return map[platform.Runtime]string{language: base}
}

func orPlain(start string) string {
	if start == "" {
		return "plain"
	}
	return start
}
