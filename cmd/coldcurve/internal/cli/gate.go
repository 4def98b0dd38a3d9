package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/charge"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/text"
)

type gateCmd struct {
	Judge     judgeCmd         `cmd:"" default:"withargs" help:"Judge runs that were made before (what gate does without a word)."`
	Selftest  selftestCmd      `cmd:"" help:"Slow a function down and see the gate fail."`
	Calibrate gateCalibrateCmd `cmd:"" help:"Compare a function with itself, and slowed down, many times: how often is the gate wrong?"`
}

type judgeCmd struct {
	Base []string `sep:"none" placeholder:"RUNS" help:"What head is held against, repeatable: a run directory, a folder of run directories, a quoted pattern such as 'runs/*-shop', a baseline's name or file."`
	Head []string `sep:"none" placeholder:"RUNS" help:"What is judged, repeatable: as --base."`
	Rest []string `arg:"" optional:"" name:"comparison" help:"A comparison's directory, as compare leaves it, in place of --base and --head."`

	Policy string `placeholder:"FILE" help:"What is judged, and how strictly (coldcurve schema policy); without it, coldcurve's own."`
	Report string `placeholder:"DIR" help:"Write a page with the verdicts and their pictures: DIR/report.html and DIR/charts."`
	JSON   bool   `name:"json" help:"Print one JSON document (coldcurve schema gate) instead of tables."`

	UndecidedWarns bool `help:"A gate that cannot tell (inconclusive, incomparable, invalid, no baseline) warns, and its exit code is 0, not 4."`

	storeFlags      `embed:""`
	calibrationFlag `embed:""`

	outputFlags `embed:"" group:"For continuous integration"`
}

// Run judges the runs of two sides.
func (c *judgeCmd) Run(ctx context.Context, w *World) error {
	if len(c.Rest) == 1 && comparison.Is(c.Rest[0]) {
		return c.comparison(w, c.Rest[0])
	}
	if err := c.check(); err != nil {
		return err
	}
	policy, text, err := readPolicy(c.Policy)
	if err != nil {
		return err
	}
	store := c.store()
	head, err := readSide(store, c.Head)
	if err != nil {
		return sideFault("--head", unknown(err))
	}
	base, err := readSide(store, c.Base)
	if missing, ok := errors.AsType[*baseline.MissingError](err); ok {
		return c.first(w, policy, head, missing)
	}
	if err != nil {
		return sideFault("--base", err)
	}
	if head.apart("base", base.runs); len(head.runs) == 0 {
		return &failure{
			code: exitUsage, err: fmt.Errorf("--head: all runs are base's, too (%s): nothing is left to judge", base.name()),
			hint: "make runs of what has changed, and give their folder: --head runs/new",
		}
	}
	phases, functions := baseline.Names(slices.Concat(base.runs, head.runs))
	if err := policy.CheckScope(c.Policy, phases, functions); err != nil {
		return err
	}
	doc, policy, err := judged(ctx, policy, c.Policy == "", base, head)
	if err != nil {
		return err
	}
	doc.Policy = c.Policy
	for _, s := range []struct {
		name string
		of   *side
	}{{"base", base}, {"head", head}} {
		for _, left := range s.of.left {
			doc.LeftOut = append(doc.LeftOut, s.name+": "+left)
		}
	}
	calibrated, err := c.notes(w, false)
	if err != nil {
		return err
	}
	doc.Notes = append(doc.Notes, otherPolicy(base, text)...)
	doc.Notes = append(doc.Notes, calibrated...)
	return c.finish(w, doc, func() error { return c.render(w, policy, doc, base, head) })
}

// finish shows a document, writes its other forms and its page, and gives the
// exit code.
func (c *judgeCmd) finish(w *World, doc *gate.Document, render func() error) error {
	doc.UndecidedWarns = c.UndecidedWarns
	if err := errors.Join(c.present(w, doc), c.write(w, doc), render()); err != nil {
		return err
	}
	err := verdictError(doc.Findings)
	if f, ok := errors.AsType[*failure](err); ok && f.code == exitUndecided && c.UndecidedWarns {
		fmt.Fprintf(w.Stderr, "coldcurve: warning: %v\n", f.err)
		return nil
	}
	return err
}

func (c *judgeCmd) check() error {
	if len(c.Rest) > 0 {
		return &failure{
			code: exitUsage, err: fmt.Errorf("unexpected argument %s", c.Rest[0]),
			hint: "repeat --base and --head, name a folder of runs, or quote a pattern: --head 'runs/*-shop'",
		}
	}
	for _, side := range []struct {
		flag  string
		words []string
	}{{"--base", c.Base}, {"--head", c.Head}} {
		if len(side.words) == 0 {
			return &failure{
				code: exitUsage, err: fmt.Errorf("no %s: there is nothing to compare", side.flag),
				hint: "coldcurve gate --base main --head 'runs/*-shop' holds runs against the baseline main",
			}
		}
	}
	return nil
}

// first is what becomes of a gate's first use, when there is no baseline yet.
func (c *judgeCmd) first(w *World, policy *gate.Policy, head *side, missing *baseline.MissingError) error {
	how := fmt.Sprintf("coldcurve baseline save %s --baselines %s %s saves the head's runs as one", missing.Name, c.Baselines, quoted(c.Head))
	if meant := similar(missing.Name); meant != "" {
		how = meant + " if that is meant; " + how
	}
	doc := gate.NewDocument(policy, gate.Comparison{}, nil)
	doc.Head.Name, doc.Policy = head.name(), c.Policy
	doc.Base.Name = missing.Name
	doc.UndecidedWarns = c.UndecidedWarns || policy.NoBaseline == gate.Warn
	doc.Notes = []string{missing.Error() + ": nothing was compared; " + how}
	if err := c.write(w, doc); err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(w.Stdout, doc); err != nil {
			return err
		}
	}
	if doc.UndecidedWarns {
		fmt.Fprintf(w.Stderr, "coldcurve: warning: %v\ncoldcurve: hint: %s\n", missing, how)
		return nil
	}
	return &failure{code: exitUndecided, err: missing, hint: how + "; no_baseline: warn in the policy lets a first use pass"}
}

// judged judges two sides, and gives the policy that they were judged by.
// coldcurve's own is fitted to what they hold; what somebody has written down must
// be there.
func judged(ctx context.Context, policy *gate.Policy, own bool, base, head *side) (*gate.Document, *gate.Policy, error) {
	b, err := base.trials()
	if err != nil {
		return nil, nil, err
	}
	h, err := head.trials()
	if err != nil {
		return nil, nil, err
	}
	c := gate.Comparison{Base: b, Head: h}
	ledger, err := priced(ctx, policy, &c)
	if err != nil {
		return nil, nil, err
	}
	defer ledger.Close()
	var left []gate.Rule
	if own {
		policy, left = policy.Fitting(c)
	}
	doc := gate.NewDocument(policy, c, gate.Judge(policy, c, gate.Look{}))
	doc.Base.Name, doc.Head.Name = base.name(), head.name()
	if policy.Costs() {
		doc.Notes = append(doc.Notes, ledger.Words())
	}
	doc.Notes = append(doc.Notes, startsOf("base", b)...)
	doc.Notes = append(doc.Notes, startsOf("head", h)...)
	if own && (base.imported() || head.imported()) {
		doc.Notes = append(doc.Notes, "imported history tells init durations alone, which coldcurve's own policy does not judge, with however many runs: give one that does, --policy FILE with rules: [{metric: init.mean, start: cold, margin: 10%}]")
	}
	for i := range left {
		doc.Notes = append(doc.Notes, left[i].NotJudged())
	}
	return doc, policy, nil
}

// startsOf tells a side's cold starts apart by what made them necessary, where
// runs know that.
func startsOf(side string, runs []gate.Trial) []string {
	n := make(map[string]uint64)
	for _, o := range sample.Occasions() {
		for i := range runs {
			n[o.String()] += runs[i].Figures.Select(summary.Selection{Start: o.String()}).N
		}
	}
	return startsNote(side, n)
}

// startsNote says how many cold starts of a side each occasion made necessary;
// nothing where none is known.
func startsNote(side string, n map[string]uint64) []string {
	var parts []string
	for _, o := range sample.Occasions() {
		if start := o.String(); n[start] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s (%s)", units.FormatCount(n[start]), start, reports.Occasion(start)))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"cold starts of " + side + ": " + strings.Join(parts, ", ")}
}

// priced gives runs their costs where the policy has a rule on one.
func priced(ctx context.Context, policy *gate.Policy, c *gate.Comparison) (*charge.Ledger, error) {
	if !policy.Costs() {
		return nil, nil
	}
	ledger, err := charge.Open(ctx, policy.Basis)
	if err != nil {
		return nil, &failure{code: exitUsage, err: err}
	}
	for _, side := range [][]gate.Trial{c.Base, c.Head} {
		for i := range side {
			ledger.Price(&side[i])
		}
	}
	return ledger, nil
}

func (c *judgeCmd) present(w *World, doc *gate.Document) error {
	if c.JSON {
		return printJSON(w.Stdout, doc)
	}
	return text.Verdicts(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), reports.VerdictsOf(doc))
}

// verdictError gives the exit code that the findings come to.
func verdictError(findings []gate.Record) error {
	var of []string
	overall := gate.Overall(findings)
	for i := range findings {
		if f := &findings[i]; f.Verdict == overall && f.Severity != gate.Warn.String() && !slices.Contains(of, f.Subject()) {
			of = append(of, f.Subject())
		}
	}
	switch overall {
	case gate.Regressed:
		return &failure{code: exitRegression, err: fmt.Errorf("regressed: %s", strings.Join(of, ", "))}
	case gate.Inconclusive, gate.Incomparable, gate.Invalid:
		return &failure{code: exitUndecided, err: fmt.Errorf("%s: %s", overall, strings.Join(of, ", "))}
	}
	return nil
}

// readPolicy reads a policy file, or gives coldcurve's own where there is none.
func readPolicy(path string) (*gate.Policy, []byte, error) {
	if path == "" {
		policy, text := gate.UsualPolicy()
		return policy, text, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, &failure{code: exitUsage, err: fmt.Errorf("read policy: %w", err)}
	}
	policy, err := gate.ParsePolicy(path, text)
	if err == nil {
		err = policy.CheckTrace(path, charge.Missing)
	}
	return policy, text, err
}

// otherPolicy tells of baselines that were saved under another policy.
func otherPolicy(base *side, text []byte) []string {
	var notes []string
	hash := baseline.PolicyHash(text)
	for _, b := range base.baselines {
		if b.Policy != "" && b.Policy != hash {
			notes = append(notes, fmt.Sprintf("baseline %s was saved under another policy (%s, not %s)", b.Name, b.Policy, hash))
		}
	}
	return notes
}

// quoted are words as a shell takes them.
func quoted(words []string) string {
	var list []string
	for _, word := range words {
		if strings.ContainsAny(word, " *?[]$'\"\\&;|<>()`~#!{}\t\n") {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		list = append(list, word)
	}
	return strings.Join(list, " ")
}
