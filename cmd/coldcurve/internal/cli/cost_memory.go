package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/reports/text"
)

type costMemoryCmd struct {
	Runs []string `arg:"" name:"run" type:"path" help:"Run directories of the same work with several sizes of memory: one run whose scenario lists the function once for each size, or a run for each."`

	Product string  `default:"aws/lambda" help:"What serves it."`
	Region  string  `help:"Region; the default is the product's own."`
	Arch    string  `enum:"x86,x86_64,arm,arm64" default:"x86" help:"Architecture: x86 or arm64."`
	Weight  float64 `default:"0.5" help:"Weight of cost in the balance, 0 to 1; the rest is duration's."`

	termsFlags `embed:""`

	JSON bool `name:"json" help:"Print one JSON document (schema coldcurve.memory/v1)."`
}

// Run prices every size that was measured.
func (c *costMemoryCmd) Run(w *World) error {
	if c.Weight < 0 || c.Weight > 1 {
		return usage("--weight %v: write a number from 0 to 1", c.Weight)
	}
	options, err := c.options(c.Product)
	if err != nil {
		return err
	}
	var works []cost.Work
	var notes []string
	for _, path := range c.Runs {
		more, doubts, err := c.measured(path)
		if err != nil {
			return err
		}
		works, notes = append(works, more...), append(notes, doubts...)
	}
	slices.SortStableFunc(works, func(a, b cost.Work) int { return cmp.Compare(a.Memory, b.Memory) })
	if len(works) < 2 || works[0].Memory == works[len(works)-1].Memory {
		return usage("%s with %v of memory only: a sweep takes runs with several sizes; list the function once for each in the scenario", count(uint64(len(works)), "function"), works[0].Memory)
	}
	t, err := cost.Tune(options[0], works, c.Weight)
	if err != nil {
		return mistaken(err)
	}
	doc := cost.NewMemoryDocument(c.Product, c.Weight, works, t, notes)
	if c.JSON {
		return printJSON(w.Stdout, doc)
	}
	return text.Memory(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), doc)
}

// measured is what each function of a run did, and what is in doubt of it.
func (c *costMemoryCmd) measured(path string) ([]cost.Work, []string, error) {
	m, err := openMeasured(path)
	if err != nil {
		return nil, nil, err
	}
	if !m.Told() {
		return nil, nil, &failure{code: exitUsage, err: fmt.Errorf("%s: the platform does not say how long calls ran: nothing can be said of a size", path)}
	}
	works, err := m.Works(m.memory(0))
	if err != nil {
		return nil, nil, &failure{code: exitUsage, err: errors.Join(fmt.Errorf("%s: no size can be told", path), err)}
	}
	for i := range works {
		f := workFlags{functionFlags: functionFlags{Region: c.Region, Arch: c.Arch, Package: "zip"}}
		f.settings(&works[i])
	}
	return works, m.notes(), nil
}
