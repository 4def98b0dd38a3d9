package wasm

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// image is the first content of a module's memories, in a file without a name
// that they map copy-on-write.
type image struct {
	file   *os.File // nil without content
	mapped uint64   // its size, rounded up to a page of the machine
}

func newImage(content []byte) (*image, error) {
	if len(content) == 0 {
		return &image{}, nil
	}
	fd, err := unix.MemfdCreate("coldcurve-wasm", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a memory's image: %w", err)
	}
	page := uint64(os.Getpagesize())
	i := &image{file: os.NewFile(uintptr(fd), "image"), mapped: (uint64(len(content)) + page - 1) / page * page}
	if _, err = i.file.Write(content); err == nil {
		err = i.file.Truncate(int64(i.mapped))
	}
	if err != nil {
		_ = i.file.Close()
		return nil, fmt.Errorf("make a memory's image: %w", err)
	}
	return i, nil
}

func (i *image) close() error {
	if i.file == nil {
		return nil
	}
	return i.file.Close()
}

// region is address space for the most that a memory may become. Go's heap
// would have every byte of it cleared, counted and copied when it grows.
type region struct{ space []byte }

func (i *image) region(most uint64) (region, error) {
	if most == 0 {
		return region{}, nil
	}
	most = max(most, i.mapped)
	const access = unix.PROT_READ | unix.PROT_WRITE
	space, err := unix.MmapPtr(-1, 0, nil, uintptr(most), access, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return region{}, fmt.Errorf("map %d bytes of memory: %w", most, err)
	}
	r := region{space: unsafe.Slice((*byte)(space), most)}
	if i.file == nil {
		return r, nil
	}
	raw, err := i.file.SyscallConn()
	if err == nil {
		var failed error
		err = raw.Control(func(fd uintptr) {
			_, failed = unix.MmapPtr(int(fd), 0, space, uintptr(i.mapped), access, unix.MAP_PRIVATE|unix.MAP_FIXED)
		})
		if err == nil {
			err = failed
		}
	}
	if err != nil {
		_ = r.release()
		return region{}, fmt.Errorf("map a memory's image: %w", err)
	}
	return r, nil
}

func (r *region) resize(size uint64) []byte { return r.space[:size] }

func (r *region) release() error {
	if r.space == nil {
		return nil
	}
	space := r.space
	r.space = nil
	if err := unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(space)), uintptr(len(space))); err != nil {
		return fmt.Errorf("give memory back: %w", err)
	}
	return nil
}
