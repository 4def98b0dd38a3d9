// Package house owns the rules about who may import whom, and the other rules
// of the house that can be checked from the source.
//
// In: the module's own source. Out: nothing but test results. It is not part
// of the program.
package house
