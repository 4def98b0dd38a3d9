package ci

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

// Annotations writes GitHub's workflow commands: an error for each rule that
// breaks the build, a warning for each that only warns and for runs that were
// left out; and one of either where there was nothing to compare with. What is
// said of several rules in the same words is said once.
//
// Source: GitHub Docs, Workflow commands for GitHub Actions.
func Annotations(w io.Writer, d *gate.Document) error {
	var lines []string
	say := func(command, title, message string) {
		if line := fmt.Sprintf("::%s title=%s::%s\n", command, property(title), data(message)); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		title := "coldcurve: " + string(f.Verdict)
		switch effectOf(d, f) {
		case fails, stops:
			say("error", title, reports.Finding(f))
		case warns:
			say("warning", title, reports.Finding(f))
		}
	}
	for _, sentence := range d.LeftOut {
		say("warning", "coldcurve: left out", sentence)
	}
	if len(d.Findings) == 0 {
		command := "error"
		if d.UndecidedWarns {
			command = "warning"
		}
		say(command, "coldcurve: no baseline", strings.Join(d.Notes, "; "))
	}
	if _, err := io.WriteString(w, strings.Join(lines, "")); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}

// data is a command's message in one line, as GitHub's runner unescapes it.
func data(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// property is the value of a command's property.
func property(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(text)
}
