package wasm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// TestModulesAreOfTheirText holds the modules that are kept to their sources.
func TestModulesAreOfTheirText(t *testing.T) {
	assembler := need.Program(t, "wat2wasm")
	texts, err := filepath.Glob("testdata/*.wat")
	if err != nil || len(texts) == 0 {
		t.Fatalf("no modules: %v", err)
	}
	for _, text := range append(texts, "../../../../fixtures/functions/minimal/wasm/bootstrap.wat") {
		module := text[:len(text)-len(".wat")] + ".wasm"
		again := filepath.Join(t.TempDir(), "again.wasm")
		if out, err := exec.Command(assembler, text, "-o", again).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		want, err := os.ReadFile(again)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(module); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what wat2wasm makes of %s (%v)", module, text, err)
		}
	}
}

func tight(t testing.TB) []byte {
	t.Helper()
	module, err := os.ReadFile("testdata/tight.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// TestMeterKeepsResults runs a loop metered and as it is.
func TestMeterKeepsResults(t *testing.T) {
	metered, most, err := meter(tight(t))
	if err != nil || most != wholeMemory {
		t.Fatalf("got most %d, %v", most, err)
	}
	rt := wazero.NewRuntime(t.Context())
	defer rt.Close(t.Context())
	for _, n := range []uint64{1, 2, ticks - 1, ticks, ticks + 1, 10 * ticks} {
		want, got := call(t, rt, tight(t), n), call(t, rt, metered, n)
		if got != want {
			t.Errorf("loop(%d) is %d metered, %d as it is", n, got, want)
		}
	}
}

// small is a context whose instances have the sandbox's memory, of one page.
func small(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, &memory{limit: wasmPage, image: &image{}, over: func() {}})
}

func call(t testing.TB, rt wazero.Runtime, module []byte, n uint64) uint64 {
	t.Helper()
	m, err := rt.InstantiateWithConfig(small(t.Context()), module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	got, err := m.ExportedFunction("loop").Call(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

// TestMeterRefuses what it does not understand, and leaves it to wazero's check.
func TestMeterRefuses(t *testing.T) {
	function := entry(1, "\x01\x60\x00\x00") + entry(3, "\x01\x00")
	for name, module := range map[string]string{
		"no memory":           function + entry(10, "\x01\x02\x00\x0b"),
		"a shared memory":     function + entry(5, "\x01\x03\x01\x01") + entry(10, "\x01\x02\x00\x0b"),
		"an imported memory":  entry(2, "\x01\x01a\x01b\x02\x00\x01") + entry(5, onePage),
		"no code":             entry(5, onePage),
		"a newer instruction": function + entry(5, onePage) + entry(10, "\x01\x03\x00\x12\x0b"),
		"cut":                 function + entry(5, onePage) + entry(10, "\x02\x02\x00\x0b"),
	} {
		if got, _, err := meter([]byte(magic + module)); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// FuzzMeter wants a module that compiles to compile when it is metered.
func FuzzMeter(f *testing.F) {
	f.Add(tight(f))
	for _, name := range []string{"testdata/fib.wasm", "../../../../fixtures/functions/minimal/wasm/bootstrap.wasm"} {
		module, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(module)
	}
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	f.Fuzz(func(t *testing.T, module []byte) {
		metered, _, err := meter(module)
		if err != nil {
			return
		}
		whole, err := rt.CompileModule(ctx, module)
		if err != nil {
			return
		}
		defer whole.Close(ctx)
		again, err := rt.CompileModule(ctx, metered)
		if err != nil {
			t.Fatalf("metered it does not compile: %v", err)
		}
		again.Close(ctx)
	})
}

// BenchmarkLoop takes a million turns of a tight loop, in each way to
// interrupt it.
func BenchmarkLoop(b *testing.B) {
	metered, _, err := meter(tight(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		module  []byte
		checked bool
	}{{"never", tight(b), false}, {"metered", metered, false}, {"checked", tight(b), true}} {
		b.Run("interrupted="+c.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(c.checked))
			defer rt.Close(ctx)
			m, err := rt.Instantiate(small(ctx), c.module)
			if err != nil {
				b.Fatal(err)
			}
			loop := m.ExportedFunction("loop")
			const turns = 1_000_000
			for b.Loop() {
				if _, err := loop.Call(ctx, turns); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/turns, "ns/turn")
		})
	}
}
