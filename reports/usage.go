package reports

import (
	"strconv"

	"github.com/coldcurve/coldcurve/analysis/usage"
)

// SeveralUsers says whether an account tells more apart than functions.
func SeveralUsers(a *usage.Account) bool {
	if a == nil {
		return false
	}
	versions := make(map[string]string)
	for _, e := range a.Entries {
		if e.Key.Consumer != "" || e.Key.Stage != "" {
			return true
		}
		if v, seen := versions[e.Key.Function]; seen && v != e.Key.Version {
			return true
		}
		versions[e.Key.Function] = e.Key.Version
	}
	return false
}

// GBSeconds is a usage's memory time as platforms state it.
func GBSeconds(u *usage.Usage) string { return strconv.FormatFloat(u.GBSeconds(), 'f', 3, 64) }
