package wasm

import (
	"runtime"
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

// memory is an instance's linear memory. It may grow up to the function's
// memory size; it is given back by release and not before, for whoever closes
// a module does not know whether its code still runs.
type memory struct {
	limit  uint64 // < wholeMemory
	image  *image
	over   func() // ends the module if it is over, from within one of its calls
	region region
	failed error // the region could not be had

	size    atomic.Uint64 // bytes; it never shrinks
	refused atomic.Bool   // it was to become larger than the limit
}

// Allocate implements experimental.MemoryAllocator.
func (m *memory) Allocate(_, most uint64) experimental.LinearMemory {
	m.region, m.failed = m.image.region(min(most, m.limit))
	return linear{m}
}

// linear is the memory as wazero sees it.
type linear struct{ *memory }

// Reallocate gives the memory's first size bytes, nil if it may not be so
// large. It is the place that a metered module comes by all the time.
func (m linear) Reallocate(size uint64) []byte {
	if size == wholeMemory {
		m.over()
		runtime.Gosched()
		return nil
	}
	if m.failed != nil {
		return nil
	}
	if size > m.limit {
		m.refused.Store(true)
		return nil
	}
	m.size.Store(size)
	return m.region.resize(size)
}

// Free does nothing: see memory.
func (linear) Free() {}

// release gives the memory back, once no code of the module runs any more.
func (m *memory) release() error { return m.region.release() }
