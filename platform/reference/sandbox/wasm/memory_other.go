//go:build !linux

package wasm

// image is the first content of a module's memories.
type image struct{ content []byte }

func newImage(content []byte) (*image, error) { return &image{content}, nil }

func (*image) close() error { return nil }

// region is a memory in Go's heap.
type region struct{ space []byte }

func (i *image) region(uint64) (region, error) {
	return region{space: append([]byte(nil), i.content...)}, nil
}

func (r *region) resize(size uint64) []byte {
	if more := int64(size) - int64(len(r.space)); more > 0 {
		r.space = append(r.space, make([]byte, more)...)
	}
	return r.space[:size]
}

func (r *region) release() error {
	r.space = nil
	return nil
}
