package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	File         string // as it was asked for; a flag's name for a fault of a flag
	Line, Column int    // from 1; 0 for a fault that has no place in a file
	Problem      string
	Instead      string // what to write instead
}

// String is file:line:column: problem; instead.
func (f Fault) String() string {
	place := f.File
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
	}
	if f.Instead == "" {
		return place + ": " + f.Problem
	}
	return place + ": " + f.Problem + "; " + f.Instead
}

// Faults is all that is wrong with a file, in the order of the file. Where
// it is an error it holds at least one.
type Faults []Fault

// Error is one fault a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// Collect returns a reporter that adds to the faults of a file. A file that is
// wrong in very many places is told of the first ones.
func (f *Faults) Collect(file string) Report {
	const most = 200
	return func(at Position, problem, instead string) {
		if len(*f) < most {
			*f = append(*f, Fault{file, at.Line, at.Column, problem, instead})
		}
	}
}

// Err is the faults in the order of the file, or nil if there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return f
}
