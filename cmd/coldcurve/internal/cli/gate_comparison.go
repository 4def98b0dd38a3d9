package cli

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

// comparison judges what compare has measured. It is judged by the policy that
// it was made by: at which pairs the data were looked at is that policy's, and
// another one's verdicts on the same pairs would have another risk.
func (c *judgeCmd) comparison(w *World, dir string) error {
	if c.Policy != "" || len(c.Base)+len(c.Head) > 0 {
		return &failure{
			code: exitUsage, err: fmt.Errorf("%s is a comparison, which has its sides and its policy", dir),
			hint: "leave out --base, --head and --policy, or make another: coldcurve compare --policy FILE",
		}
	}
	if c.Report != "" {
		return &failure{
			code: exitUsage, err: fmt.Errorf("--report: %s has its page: %s", dir, filepath.Join(dir, "report.html")),
			hint: "leave out --report, or render it anew: coldcurve report " + quoted([]string{dir}),
		}
	}
	made, err := comparison.Open(dir)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	defer made.Close()
	return c.finish(w, documentOf(made), func() error { return nil })
}

// documentOf is a comparison as a gate's document.
func documentOf(made *comparison.Comparison) *gate.Document {
	from := &made.Document
	doc := gate.NewDocument(made.Policy(), gate.Comparison{Paired: true}, nil)
	doc.Base.Name, doc.Head.Name = from.Base.What, from.Head.What
	for i := range from.Pairs {
		if p := &from.Pairs[i]; p.Usable() {
			doc.Base.Runs, doc.Head.Runs = append(doc.Base.Runs, p.Base.Dir), append(doc.Head.Runs, p.Head.Dir)
		}
	}
	doc.Findings, doc.Verdict = from.Records(), gate.Overall(from.Records())
	doc.LeftOut = append(doc.LeftOut, gate.LeftOut(doc.Findings)...)
	for i := range from.Findings {
		f := &from.Findings[i]
		doc.Findings[i].Cause = reports.Moved(f)
		var of gate.Figures
		for n := range f.Pairs {
			of.Base, of.Head = append(of.Base, &f.Pairs[n][0]), append(of.Head, &f.Pairs[n][1])
		}
		doc.Figures = append(doc.Figures, of)
	}
	doc.Notes = slices.Concat(doc.Notes, from.Notes, from.NotJudged)
	if len(doc.Findings) > 0 {
		doc.Notes = append(doc.Notes, made.Policy().Levels(true, len(doc.Findings)))
	}
	base, head := make(map[string]uint64), make(map[string]uint64)
	for _, c := range from.Colds {
		base[c.Start], head[c.Start] = c.Base.N, c.Head.N
	}
	doc.Notes = append(append(doc.Notes, startsNote("base", base)...), startsNote("head", head)...)
	if from.Costs != "" {
		doc.Notes = append(doc.Notes, from.Costs)
	}
	if from.State != comparison.Complete {
		state := "the comparison is " + string(from.State)
		if from.Failure != "" {
			state += ": " + reports.Failure(from)
		}
		doc.Notes = append(doc.Notes, state)
	}
	return doc
}
