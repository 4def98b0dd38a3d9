package meter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/usage"
)

// TestNamesAreBounded: callers who call themselves something else each time, or
// by long names, do not fill the memory, and what they use is not lost.
func TestNamesAreBounded(t *testing.T) {
	folder := t.TempDir()
	m, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	one := usage.Usage{Requests: 1}
	m.Charge(usage.Key{Function: "f", Consumer: strings.Repeat("x", mostName+1)}, one)
	for i := range mostSums + 500 {
		m.Charge(usage.Key{Function: "f", Consumer: fmt.Sprint("c", i)}, one)
	}
	m.Charge(usage.Key{Function: "f", Consumer: "c1"}, one) // who was there is still told apart
	m.Charge(usage.Key{Function: "f"}, one)
	check := func(m *Meter) {
		t.Helper()
		a := m.Usage()
		var sum, others, known uint64
		for _, e := range a.Entries {
			sum += uint64(e.Usage.Requests)
			switch e.Key.Consumer {
			case Others:
				others = uint64(e.Usage.Requests)
			case "c1":
				known = uint64(e.Usage.Requests)
			}
		}
		if all := uint64(mostSums + 503); sum != all || uint64(a.Total.Requests) != all {
			t.Errorf("entries have %d requests, the total %d, want %d", sum, a.Total.Requests, all)
		}
		if len(a.Entries) > mostSums+1 || others != 502 || known != 2 {
			t.Errorf("%d sums, %d of others, %d of c1", len(a.Entries), others, known)
		}
	}
	check(m)
	again, err := Open(folder) // as after a kill: from the journal
	if err != nil {
		t.Fatal(err)
	}
	check(again)
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
