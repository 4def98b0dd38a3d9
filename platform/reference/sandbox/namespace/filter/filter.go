// Package filter owns which system calls a function may make.
//
// In: the default profile of the Moby project, which Docker's containers run
// under, read for a process without capabilities. Out: a program for the
// kernel's seccomp filter. It installs nothing.
//
// From the profile it leaves out what it allows by the kernel's version only
// (ptrace, process_vm_readv, process_vm_writev): a function traces nobody.
// What is not allowed fails with EPERM, and clone3 with ENOSYS, so that C
// libraries fall back to clone, whose flags can be looked at. Calls in the
// numbering of another processor (32 bits, x32) end the process.
package filter

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// numbers are the system calls' numbers on amd64 and arm64, as
// golang.org/x/sys/unix has them.
//
//go:embed numbers.txt
var numbers string

// table gives the numbers on a processor by name.
func table(arch string) (map[string]uint32, error) {
	column := map[string]int{"amd64": 1, "arm64": 2}[arch]
	if column == 0 {
		return nil, fmt.Errorf("filter system calls: there is no table for %s, only for amd64 and arm64", arch)
	}
	known := map[string]uint32{}
	for line := range strings.Lines(numbers) {
		fields := strings.Fields(line)
		if n, err := strconv.ParseUint(fields[column], 10, 32); err == nil { // "-" where there is no such call
			known[fields[0]] = uint32(n)
		}
	}
	return known, nil
}

// policy is what is allowed, by number.
type policy struct {
	always    []uint32
	sometimes map[uint32][]condition // allowed if any holds
	refused   map[uint32]uint16      // with another errno than EPERM
}

// condition holds where argument & mask is related to value. Only the lower 32
// bits are looked at, because the kernel looks at no more of the arguments
// that the profile speaks of; the upper ones would be a way around it.
type condition struct {
	argument    uint
	mask, value uint32
	relation    relation
}

type relation uint8

const (
	equal relation = iota
	below
	above
)

// span is a run of numbers without a gap.
type span struct{ first, last uint32 }

func spans(ns []uint32) []span {
	ns = slices.Compact(slices.Sorted(slices.Values(ns)))
	var all []span
	for _, n := range ns {
		if len(all) > 0 && all[len(all)-1].last == n-1 {
			all[len(all)-1].last = n
			continue
		}
		all = append(all, span{n, n})
	}
	return all
}
