package reports

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Lag is how late requests went out, in words, with the quantiles that the
// sample supports.
func Lag(l summary.Lag) string {
	s := ""
	for _, q := range []struct {
		name string
		ns   *int64
	}{{"p50", l.P50}, {"p99", l.P99}} {
		if q.ns != nil {
			s += fmt.Sprintf("%s %s, ", q.name, nanos(*q.ns))
		}
	}
	return s + "max " + nanos(l.Max)
}
