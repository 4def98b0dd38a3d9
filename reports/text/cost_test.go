package text_test

import (
	"io"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/reports/reportstest"
	"github.com/coldcurve/coldcurve/reports/text"
)

// TestGoldenCosts are what the commands of cost print on 80 columns without
// colours, and into a pipe.
func TestGoldenCosts(t *testing.T) {
	for name, write := range map[string]func(io.Writer, text.Options) error{
		"bill":       func(w io.Writer, o text.Options) error { return text.Sheet(w, o, reportstest.Bill().Sheet()) },
		"bills":      func(w io.Writer, o text.Options) error { return text.Sheet(w, o, reportstest.Bills().Sheet()) },
		"keepwarm":   func(w io.Writer, o text.Options) error { return text.KeepWarm(w, o, reportstest.KeepWarm()) },
		"memory":     func(w io.Writer, o text.Options) error { return text.Memory(w, o, reportstest.MemorySizes()) },
		"situations": func(w io.Writer, o text.Options) error { return text.Sheet(w, o, reportstest.Outlook().Sheet()) },
	} {
		t.Run(name, func(t *testing.T) {
			for form, o := range map[string]text.Options{"pipe": {}, "80": {Terminal: true, Width: 80}} {
				var b strings.Builder
				if err := write(&b, o); err != nil {
					t.Fatal(err)
				}
				golden(t, name+"-"+form+".txt", []byte(b.String()))
				for line := range strings.Lines(b.String()) {
					line = strings.TrimRight(line, "\n")
					if n := len([]rune(line)); n > 80 && o.Width == 80 && strings.Contains(strings.TrimSpace(line), " ") {
						t.Errorf("%s: %d columns: %s", form, n, line)
					}
				}
			}
		})
	}
}
