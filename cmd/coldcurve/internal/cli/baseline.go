package cli

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/text"
)

// storeFlags say where saved baselines are.
type storeFlags struct {
	Baselines string `default:"baselines" placeholder:"FOLDER" help:"Where saved baselines are: files to commit or to cache. The default is baselines in the current directory."`
}

func (f *storeFlags) store() baseline.Store { return baseline.Store{Folder: f.Baselines} }

type baselineCmd struct {
	storeFlags `embed:""`

	Save   baselineSaveCmd   `cmd:"" help:"Keep runs for later comparisons, without their samples."`
	List   baselineListCmd   `cmd:"" help:"List what was saved, the oldest first."`
	Show   baselineShowCmd   `cmd:"" help:"Say what a baseline holds."`
	Prune  baselinePruneCmd  `cmd:"" help:"Remove all but the latest of each kind."`
	Import baselineImportCmd `cmd:"" help:"Keep another tool's history: lambda-perf's daily JSON."`
}

// AfterApply hands the folder to the subcommands.
func (c *baselineCmd) AfterApply() error {
	store := c.store()
	c.Save.store, c.List.store, c.Show.store, c.Prune.store, c.Import.store = store, store, store, store, store
	return nil
}

type baselineSaveCmd struct {
	Name    string            `arg:"" help:"Its name: letters, digits, - . and _."`
	Runs    []string          `arg:"" help:"Run directories, folders of them, or quoted patterns."`
	Note    map[string]string `placeholder:"KEY=VALUE" help:"Something to remember, such as revision=1a2b3c; repeatable."`
	Policy  string            `placeholder:"FILE" help:"The policy that runs will be judged by: gate says so if it has become another."`
	Replace bool              `help:"Replace a baseline of that name."`

	store baseline.Store
}

// Run saves runs.
func (c *baselineSaveCmd) Run(w *World) error {
	s, err := readSide(c.store, c.Runs)
	if err != nil {
		return sideFault("", unknown(err))
	}
	for _, left := range s.left {
		fmt.Fprintf(w.Stderr, "coldcurve: warning: %s\n", left)
	}
	b := &baseline.Baseline{Name: c.Name, Saved: w.Now().UTC().Truncate(time.Second), Notes: c.Note, Runs: s.runs}
	if c.Policy != "" {
		_, text, err := readPolicy(c.Policy)
		if err != nil {
			return err
		}
		b.Policy = baseline.PolicyHash(text)
	}
	for i := range b.Runs {
		if r := &b.Runs[i]; len(r.Invalid) > 0 {
			fmt.Fprintf(w.Stderr, "coldcurve: warning: run %s must not be used, and is kept marked so: %s\n", r.Name, strings.Join(r.Invalid, "; "))
		}
	}
	return saved(w, c.store, b, c.Replace)
}

// saved stores a baseline and says where.
func saved(w *World, store baseline.Store, b *baseline.Baseline, replace bool) error {
	path, err := store.Save(b, replace)
	if err != nil {
		f := &failure{code: exitUsage, err: err}
		if _, exists := errors.AsType[*baseline.ExistsError](err); exists {
			f.hint = "--replace replaces a baseline"
		}
		return f
	}
	_, err = fmt.Fprintf(w.Stdout, "%s: %s\n", path, count(uint64(len(b.Runs)), "run"))
	return err
}

type baselineListCmd struct {
	JSON bool `name:"json" help:"Print one JSON document instead of a table."`

	store baseline.Store
}

// baselineEntry is a baseline without its runs' figures.
type baselineEntry struct {
	Name   string            `json:"name"`
	Saved  time.Time         `json:"saved"`
	Runs   int               `json:"runs"`
	Policy string            `json:"policy,omitempty"`
	Notes  map[string]string `json:"notes,omitempty"`
	Kind   map[string]string `json:"kind,omitempty"` // of its first run
}

func entryOf(b *baseline.Baseline) baselineEntry {
	l := baselineEntry{Name: b.Name, Saved: b.Saved, Runs: len(b.Runs), Policy: b.Policy, Notes: b.Notes}
	if len(b.Runs) > 0 {
		l.Kind = b.Runs[0].Kind
	}
	return l
}

// Run lists; a file that cannot be read does not keep the others from it.
func (c *baselineListCmd) Run(w *World) error {
	list, err := c.store.List()
	failed := unusable(err)
	lines := []baselineEntry{}
	for _, b := range list {
		lines = append(lines, entryOf(b))
	}
	if c.JSON {
		return errors.Join(failed, printJSON(w.Stdout, struct {
			Schema    string          `json:"schema"`
			Folder    string          `json:"folder"`
			Baselines []baselineEntry `json:"baselines"`
		}{"coldcurve.baselines/v1", c.store.Folder, lines}))
	}
	if len(lines) == 0 && failed == nil {
		fmt.Fprintf(w.Stderr, "coldcurve: %s holds no baselines\n", c.store.Folder)
		return nil
	}
	var rows [][]string
	for _, l := range lines {
		rows = append(rows, []string{l.Name, units.FormatCount(int64(l.Runs)), l.Saved.Format("2006-01-02 15:04"), noted(l.Notes)})
	}
	return errors.Join(failed, text.Table(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), []string{"baseline", "runs", "saved", "notes"}, rows))
}

// unusable is an error of a folder's baselines, as one of the user's files where
// it is a file that cannot be used.
func unusable(err error) error {
	if _, damaged := errors.AsType[*baseline.DamagedError](err); damaged {
		return &failure{code: exitUsage, err: err}
	}
	return err
}

func noted(m map[string]string) string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list = append(list, key+"="+m[key])
	}
	return strings.Join(list, ", ")
}

type baselineShowCmd struct {
	Name string `arg:"" help:"A baseline's name."`
	JSON bool   `name:"json" help:"Print the baseline's file (coldcurve schema baseline)."`

	Chart    string `placeholder:"FILE" help:"Draw a figure over all baselines of its kind, as PNG or, for a name in .svg, as SVG."`
	Metric   string `placeholder:"NAME" help:"The chart's figure. The default is latency.p50, of imported history init.mean."`
	Start    string `default:"cold" placeholder:"KIND" help:"Of which starts (${default})."`
	Function string `placeholder:"NAME" help:"Of which function."`

	store baseline.Store
}

// Run shows what runs must share to be compared with it, and each run.
func (c *baselineShowCmd) Run(w *World) error {
	b, err := c.store.Load(c.Name)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	if c.Chart != "" {
		if err := c.draw(b); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(w.Stdout, b)
	}
	items := []text.Item{{Name: "saved", Detail: b.Saved.Format(time.RFC3339)}}
	if b.Policy != "" {
		items = append(items, text.Item{Name: "policy", Detail: b.Policy})
	}
	for _, of := range []map[string]string{b.Notes, b.Runs[0].Kind} {
		for _, key := range slices.Sorted(maps.Keys(of)) {
			items = append(items, text.Item{Name: key, Detail: of[key]})
		}
	}
	o := text.For(w.Terminal.Out, w.Terminal.Width, w.Env)
	fmt.Fprintf(w.Stdout, "Baseline %s: %s\n\n", b.Name, count(uint64(len(b.Runs)), "run"))
	if err := text.List(w.Stdout, o, items); err != nil {
		return err
	}
	fmt.Fprintln(w.Stdout)
	return text.Table(w.Stdout, o, []string{"run", "requests", "cold", "started", "must not be used"}, runRows(b))
}

// draw draws the trend of the baselines that can be compared with b.
func (c *baselineShowCmd) draw(b *baseline.Baseline) error {
	rule := gate.Rule{Budget: budget.Budget{Metric: c.Metric, Start: c.Start, Function: c.Function}}
	if rule.Metric == "" {
		rule.Metric = "latency.p50"
		if b.Runs[0].Inits != nil {
			rule.Metric = "init.mean"
		}
	}
	if _, err := metric.Parse(rule.Metric); err != nil {
		return &failure{code: exitUsage, err: err}
	}
	list, err := c.store.List()
	if err != nil {
		return unusable(err)
	}
	list = slices.DeleteFunc(list, func(other *baseline.Baseline) bool { return !maps.Equal(other.Runs[0].Kind, b.Runs[0].Kind) })
	trend, err := reports.TrendOf(&rule, list)
	if err != nil {
		return err
	}
	picture, ok := chart.Trend(trend)
	if !ok {
		return usage("--chart: no run of %s has %s%s", b.Name, rule.Subject(), lacking(&rule, b))
	}
	var out bytes.Buffer
	if strings.HasSuffix(c.Chart, ".svg") {
		err = picture.SVG(&out, chart.Light)
	} else {
		err = picture.PNG(&out)
	}
	if err == nil {
		err = os.WriteFile(c.Chart, out.Bytes(), 0o644)
	}
	return err
}

// lacking is why the first run of a baseline lacks a figure, after a colon.
func lacking(rule *gate.Rule, b *baseline.Baseline) string {
	first, err := b.Runs[0].Trial()
	if err != nil {
		return ""
	}
	if _, why := rule.Figure(&first); why != "" {
		return ": " + why
	}
	return ": " + strings.Join(first.Invalid, "; ") // it has it, and must not be used
}

func runRows(b *baseline.Baseline) [][]string {
	var rows [][]string
	for i := range b.Runs {
		r := &b.Runs[i]
		requests, cold := r.Requests()
		rows = append(rows, []string{r.Name, units.FormatCount(int64(requests)), units.FormatCount(int64(cold)), r.Started.Format("2006-01-02 15:04"), strings.Join(r.Invalid, "; ")})
	}
	return rows
}

type baselinePruneCmd struct {
	Keep   int  `required:"" placeholder:"N" help:"How many stay of each kind (scenario, seed, machine, platform, flags), the latest."`
	DryRun bool `help:"Remove nothing, and name what would be removed."`

	store baseline.Store
}

// Run removes old baselines and names them.
func (c *baselinePruneCmd) Run(w *World) error {
	if c.Keep < 1 {
		return usage("--keep %d: want 1 or more; to remove all, delete %s", c.Keep, c.store.Folder)
	}
	removed, err := c.store.Prune(c.Keep, c.DryRun)
	what := "removed "
	if c.DryRun {
		what = "would remove "
	}
	for _, name := range removed {
		fmt.Fprintln(w.Stdout, what+name)
	}
	return unusable(err)
}

type baselineImportCmd struct {
	Files   []string `arg:"" name:"file" help:"lambda-perf's daily JSON files, each becomes a baseline: lambda-perf-2026-08-20."`
	Only    string   `placeholder:"PATTERN" help:"Take only functions that are called so, such as 'nodejs22x-zip-*'."`
	Replace bool     `help:"Replace baselines that were imported before."`

	store baseline.Store
}

// Run imports files; one that cannot be read does not keep the others from it.
func (c *baselineImportCmd) Run(w *World) error {
	var failed error
	for _, path := range c.Files {
		content, err := os.ReadFile(path)
		if err != nil {
			failed = errors.Join(failed, &failure{code: exitUsage, err: err})
			continue
		}
		b, err := baseline.Import(content, c.Only)
		if err != nil {
			failed = errors.Join(failed, &failure{code: exitUsage, err: fmt.Errorf("%s: %w", filepath.Base(path), err)})
			continue
		}
		failed = errors.Join(failed, saved(w, c.store, b, c.Replace))
	}
	return failed
}
