package wasm

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// ticks is how many loop turns and calls lie between two ticks: at most some
// 100 us of computing.
const ticks = 10_000

// wholeMemory is the size that a memory is asked to grow to for a tick. No
// memory may become so large, see memory.
const wholeMemory = 1 << 32

const (
	typeSection     = 1
	importSection   = 2
	functionSection = 3
	globalSection   = 6
	codeSection     = 10
)

// meter makes a module give way now and then: at each turn of a loop and each
// call a counter goes down, and at 0 the module calls a function that asks for
// more memory than there can be, which is how it reaches [memory.Reallocate].
// There it is ended, or lets others run. most is the size in bytes that the
// module itself allows its memory.
//
// wazero's own check (WithCloseOnContextDone) leaves the compiled code at each
// turn of each loop: 95 ns in place of 5 in a tight one. It has none for calls,
// so that recursion is not interrupted, and its way out is no point at which
// Go's scheduler can stop a goroutine: while as many modules looped as there
// are cores, each garbage collection waited for up to 1.5 s.
//
// The module gets a type, a function and a global at the end of its own, so no
// index changes. What cannot be understood is an error, and is left to
// wazero's check.
func meter(module []byte) (metered []byte, most uint64, err error) {
	sections, err := parse(module)
	if err != nil {
		return nil, 0, err
	}
	sections = withGlobals(sections)
	m, err := survey(sections)
	if err != nil {
		return nil, 0, err
	}
	for i := range sections {
		s := &sections[i]
		switch s.id {
		case typeSection:
			s.body, err = extend(s.body, "\x60\x00\x00")
		case functionSection:
			s.body, err = extend(s.body, string(binary.AppendUvarint(nil, m.types)))
		case memorySection:
			s.body = append([]byte{1, 0}, binary.AppendUvarint(nil, m.initial/wasmPage)...)
		case globalSection:
			s.body, err = extend(s.body, m.counter())
		case codeSection:
			s.body, err = m.code(s.body)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return join(sections), m.most, nil
}

// metering is what is known of a module: how many it has of what.
type metering struct {
	types, functions, globals uint64
	initial, most             uint64 // of the memory, in bytes
}

// withGlobals puts an empty section of globals behind the memory where there is none.
func withGlobals(sections []section) []section {
	if slices.ContainsFunc(sections, func(s section) bool { return s.id == globalSection }) {
		return sections
	}
	i := slices.IndexFunc(sections, func(s section) bool { return s.id == memorySection })
	if i < 0 {
		return sections
	}
	return slices.Insert(sections, i+1, section{globalSection, []byte{0}})
}

// survey counts.
func survey(sections []section) (m metering, err error) {
	var memories, codes int
	for _, s := range sections {
		r := reader{rest: s.body}
		switch s.id {
		case typeSection:
			m.types = r.number()
		case importSection:
			err = m.imports(&r)
		case functionSection:
			m.functions += r.number()
		case globalSection:
			m.globals += r.number()
		case memorySection:
			memories++
			m.initial, m.most, err = ownMemory(s.body)
		case codeSection:
			codes++
		}
		if err != nil || r.err != nil {
			return m, fmt.Errorf("section %d: %w", s.id, first(err, r.err))
		}
	}
	if memories != 1 || codes != 1 || m.types == 0 {
		return m, fmt.Errorf("%d memories of its own, %d sections of code", memories, codes)
	}
	return m, nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// imports counts the functions and globals that come before a module's own.
func (m *metering) imports(r *reader) error {
	const function, table, global = 0, 1, 3
	for n := r.number(); n > 0 && r.err == nil; n-- {
		r.take(r.number())
		r.take(r.number())
		switch kind := r.byte(); kind {
		case function:
			r.number()
			m.functions++
		case table:
			r.byte()
			if r.number() == 1 {
				r.number()
			}
			r.number()
		case global:
			r.take(2)
			m.globals++
		default:
			return fmt.Errorf("an import of kind %d", kind)
		}
	}
	return r.err
}

// extend adds an entry to the end of a section that is a list.
func extend(body []byte, entry string) ([]byte, error) {
	r := reader{rest: body}
	n := r.number()
	if r.err != nil {
		return nil, r.err
	}
	return append(append(binary.AppendUvarint(nil, n+1), r.rest...), entry...), nil
}

// counter is the entry of the global that is counted down.
func (m *metering) counter() string {
	return "\x7f\x01" + "\x41" + string(appendSigned(nil, ticks)) + "\x0b" // a mutable i32
}

// code meters all functions and adds the one that is called for a tick.
func (m *metering) code(body []byte) ([]byte, error) {
	global := string(binary.AppendUvarint(nil, m.globals))
	call := "\x10" + string(binary.AppendUvarint(nil, m.functions))
	count := "\x23" + global + "\x41\x01\x6b\x24" + global + // counter = counter - 1
		"\x23" + global + "\x45\x04\x40" + call + "\x0b" // if counter == 0 { tick() }
	tick := "\x00" + // no locals
		"\x41" + string(appendSigned(nil, ticks)) + "\x24" + global + // counter = ticks
		"\x41" + string(appendSigned(nil, wholeMemory/wasmPage)) + "\x3f\x00\x6b\x40\x00\x1a\x0b" // memory.grow(whole - memory.size)

	r := reader{rest: body}
	n := r.number()
	out := binary.AppendUvarint(make([]byte, 0, 2*len(body)), n+1)
	for ; n > 0 && r.err == nil; n-- {
		function, err := meterFunction(r.take(r.number()), count)
		if err != nil {
			return nil, err
		}
		out = append(binary.AppendUvarint(out, uint64(len(function))), function...)
	}
	return append(binary.AppendUvarint(out, uint64(len(tick))), tick...), r.err
}

// meterFunction puts count at a function's beginning and that of each loop.
func meterFunction(body []byte, count string) ([]byte, error) {
	const loop = 0x03
	r := reader{rest: body}
	for n := r.number(); n > 0 && r.err == nil; n-- { // locals
		r.number()
		r.byte()
	}
	out := make([]byte, 0, len(body)+len(body)/4+64)
	out = append(out, body[:len(body)-len(r.rest)]...)
	out = append(out, count...)
	for len(r.rest) > 0 {
		at := r.rest
		if err := r.instruction(); err != nil {
			return nil, err
		}
		out = append(out, at[:len(at)-len(r.rest)]...)
		if at[0] == loop {
			out = append(out, count...)
		}
	}
	return out, r.err
}

// instruction reads past one instruction. See chapter 5.4 of the specification.
func (r *reader) instruction() error {
	switch op := r.byte(); {
	case op == 0x02, op == 0x03, op == 0x04: // block, loop, if
		r.leb(1)
	case op == 0x0e: // br_table
		r.leb(int(min(r.number(), 1<<20)) + 1)
	case op == 0x11: // call_indirect
		r.leb(2)
	case op == 0x1c: // select with types
		r.take(r.number())
	case op == 0x0c, op == 0x0d, op == 0x10, 0x20 <= op && op <= 0x26, op == 0x3f, op == 0x40, op == 0x41, op == 0x42, op == 0xd0, op == 0xd2:
		r.leb(1)
	case 0x28 <= op && op <= 0x3e: // loads and stores
		r.leb(2)
	case op == 0x43:
		r.take(4)
	case op == 0x44:
		r.take(8)
	case op == 0xfc:
		return r.bulkInstruction()
	case op == 0xfd:
		return r.vectorInstruction()
	case op <= 0x01, op == 0x05, op == 0x0b, op == 0x0f, op == 0x1a, op == 0x1b, 0x45 <= op && op <= 0xc4, op == 0xd1:
	default:
		return fmt.Errorf("an instruction %#x", op)
	}
	return r.err
}

func (r *reader) bulkInstruction() error {
	switch op := r.number(); {
	case op <= 7: // saturating conversions
	case op == 9, op == 11, op == 13, 15 <= op && op <= 17:
		r.leb(1)
	case op <= 14:
		r.leb(2)
	default:
		return fmt.Errorf("an instruction 0xfc %d", op)
	}
	return r.err
}

func (r *reader) vectorInstruction() error {
	switch op := r.number(); {
	case op <= 11, op == 92, op == 93: // loads and stores
		r.leb(2)
	case op == 12, op == 13: // a constant, a shuffle
		r.take(16)
	case 21 <= op && op <= 34: // lanes
		r.take(1)
	case 84 <= op && op <= 91: // loads and stores of lanes
		r.leb(2)
		r.take(1)
	case op > 255:
		return fmt.Errorf("an instruction 0xfd %d", op)
	}
	return r.err
}

// leb reads past so many numbers, signed or not.
func (r *reader) leb(n int) {
	for ; n > 0 && r.err == nil; n-- {
		for r.byte()&0x80 != 0 {
		}
	}
}

// appendSigned appends a signed LEB128.
func appendSigned(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
