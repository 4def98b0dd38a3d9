// Package stream owns seeded random streams: which numbers a seed stands for.
//
// In: a seed, and whose stream it is. Out: a random source, the same on any
// machine. It draws nothing and chooses no seed.
//
// All of a source's state is mixed from both. The two words of a PCG are not
// alike: two that begin with the same low word share it for ever, so that
// seeding with (seed, whose) leaves the streams of neighbouring seeds related.
package stream

import (
	"hash/fnv"
	"math/rand/v2"
)

// New is a stream of its own for each seed, owner and kind; kinds tell one
// owner's streams apart.
func New(seed uint64, owner string, kind uint64) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(owner)) // it cannot fail
	high := mix(h.Sum64() ^ mix(seed+1))
	return rand.New(rand.NewPCG(high, mix(high+kind+1)))
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
