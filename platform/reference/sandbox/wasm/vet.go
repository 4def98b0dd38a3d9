package wasm

import "fmt"

// What a module may have. wazero makes room for what a module counts before it
// reads it: some bytes that say "four thousand million imports" would end the
// runtime, with all that it serves, for want of memory. These are the limits of
// browsers, https://webassembly.github.io/spec/js-api/#limits as of 2026-11-22.
const (
	mostEntries  = 1_000_000 // types, functions, imports, exports, globals, segments
	mostElements = 10_000_000
	mostParams   = 1_000
	mostLocals   = 50_000
	mostName     = 100_000 // bytes
)

const (
	customSection  = 0
	exportSection  = 7
	elementSection = 9
)

// vet finds out whether everything that a module counts is there, within
// limits, and reads it as wazero does: where the two could disagree on what
// follows, the module is refused, as are types of later versions of WebAssembly
// than 2.0. A section of names that is not in order is left out, which is what
// the specification asks of it.
func vet(sections []section) ([]section, error) {
	kept := make([]section, 0, len(sections))
	for _, s := range sections {
		r := reader{rest: s.body}
		switch s.id {
		case customSection:
			if string(r.name()) == "name" && !r.namesInOrder() {
				continue
			}
		case typeSection:
			r.each(mostEntries, (*reader).functionType)
		case importSection:
			r.each(mostEntries, (*reader).imported)
		case functionSection, tableSection, memorySection, globalSection:
			r.count(mostEntries)
		case exportSection:
			r.each(mostEntries, func(r *reader) { r.name(); r.byte(); r.number() })
		case elementSection:
			r.each(mostEntries, (*reader).elements)
		case codeSection:
			r.each(mostEntries, (*reader).locals)
		case dataSection:
			r.each(mostEntries, (*reader).data)
		}
		if r.err != nil {
			return nil, fmt.Errorf("section %d: %w", s.id, r.err)
		}
		kept = append(kept, s)
	}
	return kept, nil
}

// count reads how many follow, of a byte or more each.
func (r *reader) count(most uint64) uint64 {
	n := r.number()
	switch {
	case n > most:
		r.refuse("it has %d entries, at most %d", n, most)
	case n > uint64(len(r.rest)):
		r.refuse("it has %d entries in %d bytes", n, len(r.rest))
	default:
		return n
	}
	return 0
}

func (r *reader) each(most uint64, entry func(*reader)) {
	for n := r.count(most); n > 0 && r.err == nil; n-- {
		entry(r)
	}
}

func (r *reader) name() []byte { return r.take(r.count(mostName)) }

func (r *reader) valueType() {
	switch t := r.byte(); t {
	case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f: // numbers, vectors, references
	default:
		r.refuse("a value type %#x", t)
	}
}

func (r *reader) functionType() {
	if form := r.byte(); form != 0x60 {
		r.refuse("a type of form %#x", form)
	}
	r.each(mostParams, (*reader).valueType)
	r.each(mostParams, (*reader).valueType) // results
}

func (r *reader) imported() {
	r.name()
	r.name()
	switch kind := r.byte(); kind {
	case 0: // a function
		r.number()
	case 1: // a table
		r.valueType()
		r.limits()
	case 2: // a memory
		r.limits()
	case 3: // a global
		r.valueType()
		r.byte()
	default:
		r.refuse("an import of kind %d", kind)
	}
}

func (r *reader) limits() {
	const hasMost, shared = 1, 2
	kind := r.byte()
	if kind > hasMost|shared {
		r.refuse("limits of kind %d", kind)
	}
	r.number()
	if kind&hasMost != 0 {
		r.number()
	}
}

// elements are a segment of a table.
func (r *reader) elements() {
	const passive, explicit, expressions = 1, 2, 4
	kind := r.number()
	if kind > passive|explicit|expressions {
		r.refuse("elements of kind %d", kind)
	}
	if kind&passive == 0 {
		if kind&explicit != 0 {
			r.number()
		}
		r.expression()
	}
	if kind&(passive|explicit) != 0 {
		if kind&expressions != 0 {
			r.valueType()
		} else {
			r.byte()
		}
	}
	if kind&expressions != 0 {
		r.each(mostElements, (*reader).expression)
	} else {
		r.each(mostElements, func(r *reader) { r.number() })
	}
}

// expression is a constant one.
func (r *reader) expression() {
	for r.err == nil {
		switch op := r.byte(); op {
		case 0x0b: // end
			return
		case 0x23, 0x41, 0x42, 0xd0, 0xd2:
			r.leb(1)
		case 0x43:
			r.take(4)
		case 0x44:
			r.take(8)
		case 0xfd:
			if r.byte() != 12 {
				r.refuse("a vector that is computed")
			}
			r.take(16)
		default:
			r.refuse("an instruction %#x in a constant", op)
		}
	}
}

// locals are what a function declares of them.
func (r *reader) locals() {
	body := reader{rest: r.take(r.number())}
	var sum uint64
	body.each(mostLocals, func(r *reader) {
		sum += min(r.number(), mostLocals+1)
		r.valueType()
	})
	if sum > mostLocals {
		body.refuse("a function of more than %d locals", mostLocals)
	}
	r.inherit(&body)
}

// data is a segment of the memory.
func (r *reader) data() {
	const passive, explicit = 1, 2
	kind := r.number()
	if kind > explicit {
		r.refuse("data of kind %d", kind)
	}
	if kind == explicit {
		r.number()
	}
	if kind != passive {
		r.expression()
	}
	r.take(r.number())
}

// namesInOrder is whether the rest of a section is names, and nothing else.
func (r *reader) namesInOrder() bool {
	named := func(r *reader) { r.number(); r.name() }
	for len(r.rest) > 0 {
		id, part := r.byte(), reader{rest: r.take(r.number())}
		switch id {
		case 0: // of the module
			part.name()
		case 1: // of functions
			part.each(mostEntries, named)
		case 2: // of locals
			part.each(mostEntries, func(r *reader) { r.number(); r.each(mostLocals, named) })
		default:
			continue
		}
		if r.inherit(&part); r.err != nil || len(part.rest) > 0 {
			return false
		}
	}
	return r.err == nil
}

// inherit takes over what is wrong with a part.
func (r *reader) inherit(part *reader) {
	if r.err == nil && part.err != nil {
		r.err, r.rest = part.err, nil
	}
}

func (r *reader) refuse(format string, of ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, of...)
	}
	r.rest = nil
}
