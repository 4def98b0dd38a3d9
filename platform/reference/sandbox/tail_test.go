package sandbox

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestTail compares with the last bytes of everything that was written.
func TestTail(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	kept := new(NewTail(64))
	for range 200 {
		var all []byte
		for range rng.IntN(12) {
			p := make([]byte, rng.IntN(150))
			for i := range p {
				p[i] = byte('a' + rng.IntN(26))
			}
			all = append(all, p...)
			kept.Append(p)
		}
		want := all[max(0, len(all)-64):]
		if got := kept.Take(); !bytes.Equal(got, want) {
			t.Fatalf("of %d bytes got %q, want %q", len(all), got, want)
		}
	}
	if cap(kept.kept) > 4*64 {
		t.Errorf("keeps room for %d bytes, want little more than twice the limit", cap(kept.kept))
	}
}
