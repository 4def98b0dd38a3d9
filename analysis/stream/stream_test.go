package stream

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// words are the two words of a source's state after some draws.
func words(t *testing.T, p *rand.PCG, draws int) [2]uint64 {
	t.Helper()
	for range draws {
		p.Uint64()
	}
	text, err := p.MarshalBinary() // "pcg:", then the words
	if err != nil || len(text) != 20 {
		t.Fatalf("state of %d bytes, %v", len(text), err)
	}
	return [2]uint64{binary.BigEndian.Uint64(text[4:]), binary.BigEndian.Uint64(text[12:])}
}

// TestNeighboursShareNothing: streams of neighbouring seeds, owners and kinds
// agree in half of their bits, as chance has it.
func TestNeighboursShareNothing(t *testing.T) {
	for name, other := range map[string]func(k uint64) *rand.Rand{
		"seeds":  func(k uint64) *rand.Rand { return New(7+k, "a", 3) },
		"kinds":  func(k uint64) *rand.Rand { return New(7, "a", 3+k) },
		"owners": func(k uint64) *rand.Rand { return New(7, string(rune('a'+k)), 3) },
	} {
		for k := uint64(1); k <= 8; k++ {
			one, two := other(0), other(k)
			same, n := 0, 4096
			for range n {
				same += 64 - bits.OnesCount64(one.Uint64()^two.Uint64())
			}
			// 4 standard errors of fair coins.
			if off := float64(same) - 32*float64(n); math.Abs(off) > 4*4*math.Sqrt(float64(n)) {
				t.Errorf("%s %d apart: %d of %d bits are the same", name, k, same, 64*n)
			}
		}
	}
}

// TestWhatIsMixed shows the fault that New is there for: with a seed as the high
// word, streams of different seeds keep one low word.
func TestWhatIsMixed(t *testing.T) {
	if a, b := words(t, rand.NewPCG(7, 1), 100), words(t, rand.NewPCG(8, 1), 100); a[1] != b[1] {
		t.Errorf("low words %x and %x: PCG is not what it was, and this package may be needless", a[1], b[1])
	}
	if New(7, "", 0).Uint64() != New(7, "", 0).Uint64() || New(7, "", 0).Uint64() == New(8, "", 0).Uint64() {
		t.Error("the same seed gives another stream, or another one the same")
	}
}
