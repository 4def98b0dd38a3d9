package filter

import (
	"maps"
	"slices"

	"github.com/moby/profiles/seccomp"
	"golang.org/x/sys/unix"
)

// Default gives the filter for a processor ("amd64" or "arm64").
func Default(arch string) ([]unix.SockFilter, error) {
	p, err := read(seccomp.DefaultProfile(), arch)
	if err != nil {
		return nil, err
	}
	return p.compile(arch), nil
}

// The fields of struct seccomp_data, whose arguments have 64 bits, the lower
// half first.
const (
	offNumber    = 0
	offArch      = 4
	offArguments = 16
)

// x32 is the bit that marks the numbers of the third way to call an amd64 kernel.
const x32 = 0x4000_0000

// compile gives the program. Numbers with conditions come first, each with its
// own piece; then runs of allowed numbers in ascending order. The kernel
// evaluates it once for each number without conditions and keeps the answer.
func (p policy) compile(arch string) []unix.SockFilter {
	audit := uint32(unix.AUDIT_ARCH_X86_64)
	if arch == "arm64" {
		audit = unix.AUDIT_ARCH_AARCH64
	}
	out := []unix.SockFilter{
		load(offArch),
		jump(unix.BPF_JEQ, audit, 1, 0),
		give(unix.SECCOMP_RET_KILL_PROCESS),
		load(offNumber),
	}
	if arch == "amd64" {
		out = append(out, jump(unix.BPF_JGE, x32, 0, 1), give(unix.SECCOMP_RET_KILL_PROCESS))
	}
	for _, n := range slices.Sorted(maps.Keys(p.refused)) {
		out = append(out, jump(unix.BPF_JEQ, n, 0, 1), give(unix.SECCOMP_RET_ERRNO|uint32(p.refused[n])))
	}
	for _, n := range slices.Sorted(maps.Keys(p.sometimes)) {
		piece := conditions(p.sometimes[n])
		out = append(out, jump(unix.BPF_JEQ, n, 0, uint8(len(piece))))
		out = append(out, piece...)
	}
	for _, s := range spans(p.always) {
		out = append(out,
			jump(unix.BPF_JGT, s.last, 3, 0),
			jump(unix.BPF_JGE, s.first, 0, 1),
			give(unix.SECCOMP_RET_ALLOW),
			give(denied))
	}
	return append(out, give(denied))
}

const denied = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)

// conditions allows where one holds.
func conditions(all []condition) []unix.SockFilter {
	var out []unix.SockFilter
	for _, c := range all {
		out = append(out, load(offArguments+8*uint32(c.argument)))
		if c.mask != ^uint32(0) {
			out = append(out, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: c.mask})
		}
		switch c.relation {
		case equal:
			out = append(out, jump(unix.BPF_JEQ, c.value, 0, 1))
		case below:
			out = append(out, jump(unix.BPF_JGE, c.value, 1, 0))
		case above:
			out = append(out, jump(unix.BPF_JGT, c.value, 0, 1))
		}
		out = append(out, give(unix.SECCOMP_RET_ALLOW))
	}
	return append(out, give(denied))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

// jump skips so many instructions where the comparison holds, or does not.
func jump(comparison uint16, value uint32, holds, fails uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | comparison | unix.BPF_K, K: value, Jt: holds, Jf: fails}
}

func give(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}
