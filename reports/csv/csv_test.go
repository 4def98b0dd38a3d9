package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/csv"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestGolden(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"bill":       func(w io.Writer) error { return csv.Cost(w, reportstest.Bill()) },
		"bills":      func(w io.Writer) error { return csv.Cost(w, reportstest.Bills()) },
		"situations": func(w io.Writer) error { return csv.Outlook(w, reportstest.Outlook()) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".csv")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", path, diff)
			}
			if rows, err := stdcsv.NewReader(&got).ReadAll(); err != nil || len(rows) < 3 {
				t.Errorf("%d rows of equal length are read back, %v", len(rows), err)
			}
		})
	}
}

// TestFormulas: what came from outside is no formula to a spreadsheet.
func TestFormulas(t *testing.T) {
	var out bytes.Buffer
	c := &reports.Cost{Priced: []cost.Priced{{Option: "=1+1", Err: &cost.Missing{Product: "@p", Quantity: "q"}}}}
	if err := csv.Cost(&out, c); err != nil {
		t.Fatal(err)
	}
	rows, err := stdcsv.NewReader(&out).ReadAll()
	if err != nil || rows[1][0] != "'=1+1" || rows[1][10][:2] != "'@" {
		t.Errorf("got %q, %v", rows, err)
	}
}
