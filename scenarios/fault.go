package scenarios

import "github.com/coldcurve/coldcurve/analysis/strict"

type (
	// Fault is one thing that is wrong with a scenario.
	Fault = strict.Fault
	// Faults is all that is wrong with a scenario, in the order of the file.
	// Where it is an error it holds at least one.
	Faults = strict.Faults
)
