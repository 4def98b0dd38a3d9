package ci

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/reports"
)

type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out,omitempty"`
}

type junitCase struct {
	Class      string           `xml:"classname,attr"`
	Name       string           `xml:"name,attr"`
	Properties *junitProperties `xml:"properties,omitempty"`
	Failure    *junitProblem    `xml:"failure,omitempty"`
	Error      *junitProblem    `xml:"error,omitempty"`
	Skipped    *junitProblem    `xml:"skipped,omitempty"`
	Out        string           `xml:"system-out,omitempty"`
}

type junitProperties struct {
	List []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes a test case a rule. A regression is a failure; where there is no
// verdict it is an error; a rule that only warns passes and says so in its
// output. A gate that had nothing to compare with is one case that was skipped.
// Properties are a case's statistics; what there is none of is left out:
//
//	effect, effect.lower, effect.upper     the change and its limits, in effect.unit
//	effect.confidence.level                of each of those limits by itself, a share of 1
//	base, head                             medians of the runs' figures, in unit
//	head.lower, head.upper                 limits of head's median, for a max or a min
//	head.confidence.level                  of each of those by itself
//	head.needed                            runs of head that tell where it lies
//	standing, allowed                      where it lies by the max and min, and what they are
//	p.worse, p.same, p.better              p-values, adjusted over all tests
//	n.base, n.head                         runs that the case rests on
//	left_out.base, left_out.head           each run that it does not rest on, and why
//	detectable, detectable.at, needed      what so many runs detect; how many no change takes
//	verdict, severity                      as the policy's rule has them
func JUnit(w io.Writer, d *gate.Document) error {
	v := reports.VerdictsOf(d)
	s := junitSuite{Name: "coldcurve gate", Out: strings.Join(slices.Concat(d.LeftOut, d.Notes), "\n"), Properties: []junitProperty{
		{"verdict", string(d.Verdict)}, {"base", v.Base}, {"head", v.Head},
		{"paired", strconv.FormatBool(d.Paired)}, {"risk", number(d.Risk)}, {"power", number(d.Power)},
	}}
	for i := range d.Findings {
		s.add(junitCaseOf(d, v, &d.Findings[i]))
	}
	if len(d.Findings) == 0 {
		s.add(junitCase{Class: "coldcurve.gate", Name: "baseline", Skipped: &junitProblem{Message: strings.Join(d.Notes, "; ")}})
	}
	return writeXML(w, &junitSuites{Suite: s})
}

func writeXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	return nil
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func junitCaseOf(d *gate.Document, v *reports.Verdicts, f *gate.Record) junitCase {
	c := junitCase{Class: "coldcurve.gate", Name: f.Subject(), Properties: junitPropertiesOf(f)}
	if f.Margin == 0 {
		c.Class = "coldcurve.budget" // another rule may have a margin on the same figure
	}
	words := reports.Finding(f)
	if power := v.Power(f); power != "" {
		words += "\n" + power
	}
	switch effectOf(d, f) {
	case fails:
		c.Failure = &junitProblem{Message: reports.Finding(f), Type: string(f.Verdict), Text: words}
	case stops:
		c.Error = &junitProblem{Message: reports.Finding(f), Type: string(f.Verdict), Text: words}
	case warns:
		c.Out = "warning: " + words
	case passes:
		c.Out = words
	}
	return c
}

// known is a number as a property has it; nil for 0, which is none.
func known[N int | float64](n N) *float64 {
	if n == 0 {
		return nil
	}
	return new(float64(n))
}

func junitPropertiesOf(f *gate.Record) *junitProperties {
	list := []junitProperty{{"verdict", string(f.Verdict)}, {"severity", f.Severity}, {"unit", unitOf(f)}, {"effect.unit", effectUnit(f)}}
	for _, p := range []struct {
		name  string
		value *float64
	}{
		{"base", f.Base}, {"head", f.Head}, {"effect", f.Change}, {"effect.lower", f.Lower}, {"effect.upper", f.Upper},
		{"effect.confidence.level", known(f.ConfidenceLevel)},
		{"p.worse", &f.PWorse}, {"p.same", &f.PSame}, {"p.better", &f.PBetter},
		{"detectable", f.Detectable}, {"detectable.at", known(f.DetectableAt)}, {"needed", f.Needed},
		{"head.lower", f.HeadLower}, {"head.upper", f.HeadUpper},
		{"head.confidence.level", known(f.HeadConfidenceLevel)}, {"head.needed", f.HeadNeeded},
	} {
		if p.value != nil {
			list = append(list, junitProperty{p.name, number(*p.value)})
		}
	}
	if f.Standing != "" {
		list = append(list, junitProperty{"allowed", f.Allowed()}, junitProperty{"standing", string(f.Standing)})
	}
	list = append(list, junitProperty{"n.base", strconv.Itoa(f.Runs[0])}, junitProperty{"n.head", strconv.Itoa(f.Runs[1])})
	for i, side := range []string{"base", "head"} {
		for _, out := range f.LeftRuns[i] {
			list = append(list, junitProperty{"left_out." + side, out.Run + ": " + out.Why})
		}
	}
	return &junitProperties{list}
}

// unitOf is what base and head count, as their numbers have it.
func unitOf(f *gate.Record) string {
	switch metric.Metric(f.Metric).Unit() {
	case metric.Share:
		return "share of 1"
	case metric.Count:
		return "count"
	case metric.PerSecond:
		return "requests per second"
	case metric.Money:
		return "nano-dollars"
	}
	return "nanoseconds"
}

// effectUnit is what effect, its limits and detectable count.
func effectUnit(f *gate.Record) string {
	if f.Relative {
		return "share of base"
	}
	return unitOf(f)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
