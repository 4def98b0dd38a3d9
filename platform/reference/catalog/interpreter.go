package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// instead is what runs a version in place of what its runtime's identifier
// promises; "" where that is kept, or nothing is promised or known.
func instead(identifier string, v *engine.Version) string {
	promised := strings.TrimSuffix(strings.TrimLeft(identifier, "abcdefghijklmnopqrstuvwxyz"), ".x")
	what, version := v.Interpreter()
	if promised == "" || version == "" || strings.HasPrefix(version+".", promised+".") {
		return ""
	}
	return what
}

// tellInstead logs what a function is run by in place of what it asks for, when
// it is first so. Called with the function's lock held.
func (c *Catalog) tellInstead(before, now *snapshot) {
	known := func(asks, instead string) bool {
		if before == nil {
			return false
		}
		for number, lv := range before.live {
			if v := before.record.version(number); v != nil && v.Runtime == asks && lv.instead == instead {
				return true
			}
		}
		return false
	}
	for number, lv := range now.live {
		if v := now.record.version(number); v != nil && lv.instead != "" && !known(v.Runtime, lv.instead) {
			c.log("function %s asks for %s and runs on %s", now.record.Name, v.Runtime, lv.instead)
		}
	}
}

// Notes say which functions are run by another version of their language than
// they ask for, a note for each version that is asked for.
func (c *Catalog) Notes() []string {
	functions := make(map[string][]string)
	table := *c.table.Load()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		s := table[name].now.Load()
		for number, lv := range s.live {
			v := s.record.version(number)
			if v == nil || lv.instead == "" {
				continue
			}
			of := fmt.Sprintf("functions that ask for %s run on %s: ", v.Runtime, lv.instead)
			if list := functions[of]; len(list) == 0 || list[len(list)-1] != name {
				functions[of] = append(list, name)
			}
		}
	}
	var notes []string
	for _, of := range slices.Sorted(maps.Keys(functions)) {
		notes = append(notes, of+strings.Join(functions[of], ", "))
	}
	return notes
}
