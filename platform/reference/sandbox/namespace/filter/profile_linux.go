package filter

import (
	"fmt"
	"slices"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// read turns the profile's rules into numbers of a processor.
func read(profile *seccomp.Seccomp, arch string) (policy, error) {
	known, err := table(arch)
	if err != nil {
		return policy{}, err
	}
	p := policy{sometimes: map[uint32][]condition{}, refused: map[uint32]uint16{}}
	for _, rule := range profile.Syscalls {
		if !concerns(rule, arch) {
			continue
		}
		for _, name := range rule.Names {
			if n, ok := known[name]; ok { // the profile names calls of every processor
				if err := p.add(n, rule); err != nil {
					return policy{}, fmt.Errorf("filter system calls: rule for %s: %w", name, err)
				}
			}
		}
	}
	p.always = slices.DeleteFunc(p.always, func(n uint32) bool { _, also := p.refused[n]; return also })
	return p, nil
}

// concerns tells whether a rule is for a process without capabilities.
func concerns(rule *seccomp.Syscall, arch string) bool {
	if in := rule.Includes; in != nil {
		if len(in.Caps) > 0 || in.MinKernel != nil || len(in.Arches) > 0 && !slices.Contains(in.Arches, arch) {
			return false
		}
	}
	return rule.Excludes == nil || !slices.Contains(rule.Excludes.Arches, arch)
}

func (p *policy) add(n uint32, rule *seccomp.Syscall) error {
	switch {
	case rule.Action == specs.ActErrno && rule.ErrnoRet != nil && len(rule.Args) == 0:
		p.refused[n] = uint16(*rule.ErrnoRet)
		return nil
	case rule.Action != specs.ActAllow || len(rule.Args) > 1:
		return fmt.Errorf("action %s with %d conditions is not known", rule.Action, len(rule.Args))
	case len(rule.Args) == 0:
		p.always = append(p.always, n)
		return nil
	}
	c, err := conditionOf(rule.Args[0])
	p.sometimes[n] = append(p.sometimes[n], c)
	return err
}

func conditionOf(arg specs.LinuxSeccompArg) (condition, error) {
	c := condition{argument: arg.Index, mask: ^uint32(0), value: uint32(arg.Value)}
	if arg.Value>>32 != 0 || arg.ValueTwo>>32 != 0 {
		return c, fmt.Errorf("value %#x exceeds 32 bits", arg.Value)
	}
	switch arg.Op {
	case specs.OpEqualTo:
	case specs.OpLessThan:
		c.relation = below
	case specs.OpGreaterThan:
		c.relation = above
	case specs.OpMaskedEqual:
		c.mask, c.value = uint32(arg.Value), uint32(arg.ValueTwo)
	default:
		return c, fmt.Errorf("operator %s is not known", arg.Op)
	}
	return c, nil
}
