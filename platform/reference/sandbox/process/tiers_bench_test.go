//go:build linux

package process_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// tier is a way to come to an instance. ahead is what nobody waits for.
type tier struct {
	ahead func(b *testing.B)
	start func(b *testing.B) sandbox.Instance
}

// BenchmarkStem compares a start from a pre-booted runtime, from its order to
// the first response, with a plain one of the same function.
func BenchmarkStem(b *testing.B) {
	for _, c := range []struct {
		name    string
		runtime platform.Runtime
	}{{"hello", platform.NodeJS}, {"heavyinit", platform.NodeJS}, {"hello", platform.Python}, {"heavyinit", platform.Python}} {
		b.Run("function="+c.name+"/runtime="+string(c.runtime), func(b *testing.B) {
			s, shop := fixture(b, c.name, c.runtime)
			var st sandbox.Stem
			versus(b, s, shop, tier{
				ahead: func(b *testing.B) { st = boot(b, s, c.runtime) },
				start: func(b *testing.B) sandbox.Instance { return assign(b, st, shop) },
			})
		})
	}
}

// BenchmarkZygote compares a start from a process that has loaded the function.
func BenchmarkZygote(b *testing.B) {
	for _, name := range []string{"hello", "heavyinit"} {
		b.Run("function="+name+"/runtime=python", func(b *testing.B) {
			s, shop := fixture(b, name, platform.Python)
			z := brood(b, s, shop)
			versus(b, s, shop, tier{
				ahead: func(*testing.B) {},
				start: func(b *testing.B) sandbox.Instance { return fork(b, z, "i-1") },
			})
		})
	}
}

// fixture is a sandbox and one of the scenarios' functions.
func fixture(b *testing.B, name string, runtime platform.Runtime) (*process.Sandbox, *sandbox.Spec) {
	b.Helper()
	cache := b.TempDir()
	built, err := fixtures.Build(b.Context(), fixtures.Spec{Name: name, Runtime: runtime, Cache: cache})
	if err != nil {
		b.Fatal(err)
	}
	clients, err := fixtures.RuntimeClients(cache)
	if err != nil {
		b.Fatal(err)
	}
	shop := spec(b, "")
	shop.Function.Runtime, shop.Function.Code, shop.Function.Handler = runtime, built.Code, built.Handler
	shop.Memory = 1769 << 20 // a whole CPU
	return open(b, process.Options{RuntimeClients: clients, Adopt: true}), shop
}

// versus has plain starts and the tier's take turns.
func versus(b *testing.B, s *process.Sandbox, shop *sandbox.Spec, other tier) {
	if err := s.Prepare(b.Context(), shop); err != nil {
		b.Fatal(err)
	}
	plain := tier{
		ahead: func(*testing.B) {},
		start: func(b *testing.B) sandbox.Instance {
			in, err := s.Start(b.Context(), "i-1", shop, sandbox.OnDemand)
			if err != nil {
				b.Fatal(err)
			}
			return in
		},
	}
	var plainTimes, otherTimes times
	var ratios []float64
	for b.Loop() {
		before, after := plain.measure(b), other.measure(b)
		plainTimes, otherTimes = append(plainTimes, before), append(otherTimes, after)
		ratios = append(ratios, float64(after)/float64(before))
	}
	slices.Sort(ratios)
	b.ReportMetric(plainTimes.p50(), "plain-p50-us")
	b.ReportMetric(otherTimes.p50(), "p50-us")
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(0, "ns/op") // of both, and of what stands between them
}

func (t tier) measure(b *testing.B) time.Duration {
	t.ahead(b)
	settle()
	begun := time.Now()
	in := t.start(b)
	awaited(b, in)
	if _, err := in.Invoke(b.Context(), invocation(`{"name":"world"}`, time.Minute)); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begun)
	if err := in.Stop(false); err != nil {
		b.Fatal(err)
	}
	return took
}
