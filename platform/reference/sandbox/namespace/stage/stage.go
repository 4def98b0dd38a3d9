// Package stage owns what stands between the making of a process and its
// program: a process that executes the system calls that it is told.
//
// In: a [Script], a list of system calls with their data. Out: a process that
// has executed it, or the call that failed and why. It decides nothing, and
// knows no sandboxes.
//
// A sandbox has to do a lot in a new process: mount, change users, filter
// system calls, execute. Go cannot: it has threads before its first
// instruction, and what it can do between fork and exec is what package
// syscall has thought of. So the new process executes a program of 120 bytes,
// without a runtime or a heap, that reads a script from a socket, executes it,
// reports and reads the next one. A process like that starts in the time of
// an exec, waits on three pages of memory, may make namespaces (it has one
// thread), and can become the function by the script's last call, execve.
//
// The program is in testdata in assembler. Its memory, from 0x500000 on, is 64
// bytes for the report and then the script: 64 bytes a call (number, six
// arguments, how many bytes of calls to skip where the call gives 0, which a
// fork's child does), a negative number, and the data. A call that gives a
// negative number ends the script. The socket is descriptor 3, and its end is
// the stage's.
package stage

import (
	"encoding/binary"
	"fmt"
	"math"
)

const (
	codeBase   = 0x400000
	dataBase   = 0x500000
	scriptBase = dataBase + 64
	room       = 128 << 10 // for the report and the script
	callSize   = 64
)

// Word is an argument or part of a script's data.
type Word struct {
	value  uint64
	inside bool // value is an offset in the script's data
}

// Of makes a word of a number; a negative one is sign-extended.
func Of[T ~int | ~uint | ~int32 | ~uint32 | ~int64 | ~uint64 | ~uintptr](n T) Word {
	return Word{value: uint64(n)}
}

// Script is a list of system calls. The zero value is empty and ready.
type Script struct {
	calls  []call
	data   []byte
	inside []int // offsets in data of words that are addresses in data
}

type call struct {
	what string
	nr   uintptr
	args [6]Word
	skip int
}

// Call adds a system call; what names it in an error.
func (s *Script) Call(what string, nr uintptr, args ...Word) {
	c := call{what: what, nr: nr}
	if copy(c.args[:], args) < len(args) {
		panic("stage: " + what + " has more than six arguments")
	}
	s.calls = append(s.calls, c)
}

// Fork adds a system call that makes another process, a child of the stage's
// own parent. What is added next is the stage's, up to the child's beginning.
func (s *Script) Fork(what string) (child int) {
	s.fork(what)
	return len(s.calls) - 1
}

// Begin makes what is added next the beginning of a child.
func (s *Script) Begin(child int) { s.calls[child].skip = len(s.calls) - child - 1 }

// Bytes adds data and gives its address.
func (s *Script) Bytes(b []byte) Word {
	for len(s.data)%8 != 0 {
		s.data = append(s.data, 0)
	}
	at := len(s.data)
	s.data = append(s.data, b...)
	return Word{value: uint64(at), inside: true}
}

// String adds a string with its end and gives its address.
func (s *Script) String(text string) Word { return s.Bytes(append([]byte(text), 0)) }

// Strings adds strings and gives the address of their addresses, which end
// with 0.
func (s *Script) Strings(texts []string) Word {
	words := make([]Word, len(texts)+1)
	for i, t := range texts {
		words[i] = s.String(t)
	}
	return s.Words(words...)
}

// Words adds words, which can be addresses, and gives their own address.
func (s *Script) Words(words ...Word) Word {
	at := s.Bytes(nil)
	for _, w := range words {
		if w.inside {
			s.inside = append(s.inside, len(s.data))
		}
		s.data = binary.LittleEndian.AppendUint64(s.data, w.value)
	}
	return at
}

// encode gives the script as the stage reads it.
func (s *Script) encode() ([]byte, error) {
	dataAt := len(s.calls)*callSize + 8
	if most := room - (scriptBase - dataBase); dataAt+len(s.data) > most {
		return nil, fmt.Errorf("a script of %d bytes exceeds the stage's %d", dataAt+len(s.data), most)
	}
	base := uint64(scriptBase + dataAt)
	out := make([]byte, 0, dataAt+len(s.data))
	for _, c := range s.calls {
		out = binary.LittleEndian.AppendUint64(out, uint64(c.nr))
		for _, a := range c.args {
			if a.inside {
				a.value += base
			}
			out = binary.LittleEndian.AppendUint64(out, a.value)
		}
		out = binary.LittleEndian.AppendUint64(out, uint64(c.skip*callSize))
	}
	out = binary.LittleEndian.AppendUint64(out, math.MaxUint64)
	out = append(out, s.data...)
	for _, at := range s.inside {
		word := out[dataAt+at:]
		binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)+base)
	}
	return out, nil
}

// what names the call at an address of the stage's memory.
func (s *Script) what(address uint64) string {
	if i := int(address-scriptBase) / callSize; address >= scriptBase && i < len(s.calls) {
		return s.calls[i].what
	}
	return "script"
}

// image is the stage's program as an ELF file: its code, and room for scripts.
func image() []byte {
	const headers = 64 + 3*56
	le := binary.LittleEndian
	b := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	b = le.AppendUint16(b, 2) // an executable
	b = le.AppendUint16(b, machine)
	b = le.AppendUint32(b, 1)
	b = le.AppendUint64(b, codeBase+headers) // entry
	b = le.AppendUint64(b, 64)               // program headers
	b = le.AppendUint64(b, 0)                // no sections
	b = le.AppendUint32(b, 0)
	for _, n := range []uint16{64, 56, 3, 0, 0, 0} {
		b = le.AppendUint16(b, n)
	}
	segment := func(kind, flags uint32, at, file, memory uint64) {
		b = le.AppendUint32(le.AppendUint32(b, kind), flags)
		for _, n := range []uint64{0, at, at, file, memory, 64 << 10} {
			b = le.AppendUint64(b, n)
		}
	}
	const load, stack = 1, 0x6474e551
	const execute, write, read = 1, 2, 4
	segment(load, read|execute, codeBase, headers+uint64(len(code)), headers+uint64(len(code)))
	segment(load, read|write, dataBase, 0, room)
	segment(stack, read|write, 0, 0, 0)
	return append(b, code...)
}
