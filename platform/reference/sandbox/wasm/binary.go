package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The parts of the binary format that matter here. See the WebAssembly core
// specification 2.0, chapter 5.
const (
	magic         = "\x00asm\x01\x00\x00\x00"
	tableSection  = 4
	memorySection = 5
	startSection  = 8
	dataSection   = 11
	wasmPage      = 64 << 10

	// mostTable bounds a table's elements. Tables lie in Go's heap, 8 bytes an
	// element, where a function's memory size does not bound them; Go's own
	// programs have some 10,000.
	mostTable = 1 << 20
)

// layout is a module apart from its memory's first content.
type layout struct {
	whole   []byte // the module
	code    []byte // the module, without its data segments where image is not nil
	image   []byte // the memory as the data segments leave it, up to the end of the last
	initial uint64 // the memory's first size in bytes; 0 where the module has no memory of its own
	starts  bool   // it has a function that runs when it is instantiated
}

var errTruncated = errors.New("the module ends in the middle of a section")

// split takes the data segments out of a module and lays out their memory. It
// bounds the growth of tables.
// A module whose segments cannot be laid out ahead is left whole: passive ones,
// ones at a place that is computed, several memories. Besides what vet does, it
// checks no more than it needs: the compiler does.
func split(module []byte) (layout, error) {
	whole := layout{whole: module, code: module}
	sections, err := parse(module)
	if err != nil {
		return whole, err
	}
	if sections, err = vet(sections); err != nil {
		return whole, err
	}
	var data []byte
	var rest []section // without the data
	for i := range sections {
		s := &sections[i]
		switch s.id {
		case tableSection:
			if s.body, err = boundTables(s.body); err != nil {
				return whole, err
			}
		case memorySection:
			whole.initial, _, _ = ownMemory(s.body) // others are left to the compiler
		case startSection:
			whole.starts = true
		case dataSection:
			data = s.body
			continue
		}
		rest = append(rest, *s)
	}
	whole.whole = join(sections)
	whole.code = whole.whole
	if image, ok := layOut(data, whole.initial); ok {
		whole.code, whole.image = join(rest), image
	}
	return whole, nil
}

// section is one of a module's parts.
type section struct {
	id   byte
	body []byte
}

// parse finds a module's sections.
func parse(module []byte) (sections []section, err error) {
	if len(module) < len(magic) || string(module[:len(magic)]) != magic {
		return nil, errors.New("not a WebAssembly module of version 1")
	}
	r := reader{rest: module[len(magic):]}
	for len(r.rest) > 0 {
		id := r.byte()
		sections = append(sections, section{id, r.take(r.number())})
		if r.err != nil {
			return nil, r.err
		}
	}
	return sections, nil
}

// join makes a module of sections.
func join(sections []section) []byte {
	module := []byte(magic)
	for _, s := range sections {
		module = append(binary.AppendUvarint(append(module, s.id), uint64(len(s.body))), s.body...)
	}
	return module
}

// boundTables gives the table section with no table that may exceed mostTable.
func boundTables(section []byte) ([]byte, error) {
	const hasMost = 1
	r := reader{rest: section}
	n := r.number()
	bounded := binary.AppendUvarint(nil, n)
	for ; n > 0 && r.err == nil; n-- {
		kind, flags, least := r.byte(), r.number(), r.number()
		most := uint64(mostTable)
		if flags == hasMost {
			most = min(most, r.number())
		}
		if least > mostTable || flags > hasMost {
			return nil, fmt.Errorf("a table has %d elements (limits %d), more than %d", least, flags, mostTable)
		}
		bounded = binary.AppendUvarint(append(bounded, kind, hasMost), least)
		bounded = binary.AppendUvarint(bounded, max(most, least))
	}
	return bounded, r.err
}

// ownMemory gives the first and the largest size of a module's only memory in bytes.
func ownMemory(section []byte) (initial, most uint64, err error) {
	const hasMost = 1
	r := reader{rest: section}
	n, limits := r.number(), r.number()
	initial, most = r.number(), wholeMemory/wasmPage
	if limits == hasMost {
		most = min(most, r.number())
	}
	switch {
	case r.err != nil:
		return 0, 0, r.err
	case n != 1 || limits > hasMost: // several, shared, of 64 bits
		return 0, 0, fmt.Errorf("%d memories, limits of kind %d", n, limits)
	case initial > most:
		return 0, 0, fmt.Errorf("a memory of %d pages, at most %d", initial, most)
	}
	return initial * wasmPage, most * wasmPage, nil
}

// layOut applies active segments of memory 0 at constant places. A module that
// refers to its segments later (memory.init, data.drop) has a data count
// section, and then taking the segments away makes it invalid, so that the
// compiler refuses it and it is taken whole.
func layOut(section []byte, size uint64) (image []byte, ok bool) {
	const i32const, end = 0x41, 0x0b
	r := reader{rest: section}
	type segment struct {
		at      uint64
		content []byte
	}
	var segments []segment
	var length uint64
	for n := r.number(); n > 0 && r.err == nil; n-- {
		if r.number() != 0 || r.byte() != i32const {
			return nil, false
		}
		at := uint64(uint32(r.signed()))
		if r.byte() != end {
			return nil, false
		}
		content := r.take(r.number())
		if r.err != nil || at+uint64(len(content)) > size {
			return nil, false // the compiler has the words for it
		}
		segments = append(segments, segment{at, content})
		length = max(length, at+uint64(len(content)))
	}
	if r.err != nil || len(segments) == 0 {
		return nil, false
	}
	if length > uint64(4*len(section)+wasmPage) {
		return nil, false // mostly holes: a module may be made to fill our memory
	}
	image = make([]byte, length)
	for _, s := range segments {
		copy(image[s.at:], s.content)
	}
	return image, true
}

// reader reads numbers off a slice; after an error everything is 0.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.rest)) {
		if r.err == nil {
			r.err = errTruncated
		}
		r.rest = nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// number is an unsigned LEB128 of at most 64 bits.
func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail("a number")
		return 0
	}
	r.take(uint64(n))
	return v
}

// signed is a signed LEB128 of at most 32 bits.
func (r *reader) signed() (v int32) {
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= int32(b&0x7f) << shift
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift+7 < 32 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.fail("a number")
	return 0
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("the module ends in the middle of %s, or it is too long", what)
	}
	r.rest = nil
}
