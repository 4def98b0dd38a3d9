package wasm_test
import ("testing";"runtime";"time";"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm")
func TestZZ(t *testing.T) {
	s := open(t, wasm.Options{})
	shop := function(t)
	other := ready(t, s, shop)
	for i := range 4 {
		for range 5 {
			t0 := time.Now(); runtime.GC(); t1 := time.Now(); invoke(t, other, "hello"); t2 := time.Now()
			t.Log(i, "loops: gc", t1.Sub(t0), "invoke", t2.Sub(t1))
		}
		in := ready(t, s, shop)
		go in.Invoke(t.Context(), invocation("loop", time.Minute))
		time.Sleep(20*time.Millisecond)
	}
}
