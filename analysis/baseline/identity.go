package baseline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/rundir"
)

// identity tells runs apart, wherever their directories were copied to: no
// machine begins two runs in the same nanosecond. Imported history has a day
// for an instant, and a name of its own for each run.
type identity struct {
	started int64
	host    rundir.Host
	kind    string
	name    string
}

func (r *Run) identity() identity {
	id := identity{started: r.Started.UnixNano(), host: r.Host, kind: textOf(r.Kind)}
	if r.Inits != nil {
		id.name = r.Name
	}
	return id
}

// textOf is a kind as something that can be compared.
func textOf(kind map[string]string) string {
	text := ""
	for _, key := range slices.Sorted(maps.Keys(kind)) {
		text += fmt.Sprintf("%q=%q ", key, kind[key])
	}
	return text
}

// Distinct are the runs in their order, each once and none that is among others,
// too; and the names of those that it leaves out for either reason.
func Distinct(runs, others []Run) (distinct []Run, again, shared []string) {
	elsewhere := make(map[identity]bool)
	for i := range others {
		elsewhere[others[i].identity()] = true
	}
	seen := make(map[identity]bool)
	for i := range runs {
		switch id := runs[i].identity(); {
		case seen[id]:
			again = append(again, runs[i].Name)
		case elsewhere[id]:
			shared, seen[id] = append(shared, runs[i].Name), true
		default:
			distinct, seen[id] = append(distinct, runs[i]), true
		}
	}
	return distinct, again, shared
}
