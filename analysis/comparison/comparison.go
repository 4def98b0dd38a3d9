// Package comparison owns the comparison of two sides by pairs of runs.
//
// In: what is to be compared, a policy, and the run directories of pairs as they
// are made. Out: a directory that can be read at any instant of its making:
// comparison.json (the sides, the pairs and their order, the looks that were
// taken, the findings), policy.yaml, scenario.yaml, and a run directory for each
// run; which rules regressed and which phase of a start moved; how the
// quantiles differ. It makes no run and draws nothing.
//
//	comparison.go  the directory, and how a comparison goes on
//	document.go    comparison.json, which is what --json prints
//	parts.go       which phase of a start moved
//	shift.go       quantile differences over the runs
//	unpaired.go    the same of runs that were not made in pairs
package comparison

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/charge"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/whole"
)

// FileName is the document within a comparison's directory.
const FileName = "comparison.json"

// Comparison is a comparison's directory. It is not safe for concurrent use.
type Comparison struct {
	Path     string
	Document Document

	policy   *gate.Policy
	ledger   *charge.Ledger // nil where the policy has no rule on a cost
	sequence *gate.Sequence
	sides                    // of the pairs that can be used
	trials   gate.Comparison // of all that were made
}

// Create begins a comparison in a new directory. The policy's and scenario's
// texts are kept beside the document.
func Create(dir string, d Document, policy, scenario []byte) (*Comparison, error) {
	c, err := create(dir, d, policy, scenario)
	if err != nil {
		return nil, fmt.Errorf("create comparison: %w", err)
	}
	return c, nil
}

func create(dir string, d Document, policy, scenario []byte) (*Comparison, error) {
	p, err := gate.ParsePolicy("policy.yaml", policy)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Path: dir, policy: p, sequence: gate.NewSequence(p)}
	if err := c.openLedger(); err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty: it holds %s", dir, entries[0].Name())
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{"policy.yaml": policy, "scenario.yaml": scenario} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	d.Schema, d.State, d.Looks = Schema, Running, p.LookAt()
	c.Document = d
	return c, c.save()
}

func (c *Comparison) openLedger() (err error) {
	if c.policy.Costs() {
		c.ledger, err = charge.Open(context.Background(), c.policy.Basis)
	}
	return err
}

// Close gives back what rules on costs hold. The comparison can be read after it.
func (c *Comparison) Close() error { return c.ledger.Close() }

// Is says whether a folder is a comparison's directory.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, FileName))
	return err == nil
}

// Open reads a comparison's directory, however far it came, and judges it anew.
func Open(dir string) (*Comparison, error) {
	c, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("open comparison: %w", err)
	}
	return c, nil
}

func open(dir string) (*Comparison, error) {
	path := filepath.Join(dir, FileName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not a comparison's directory: it has no %s", dir, FileName)
	}
	if err != nil {
		return nil, err
	}
	c := &Comparison{Path: dir}
	if err := whole.Decode(text, &c.Document); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	if c.Document.Schema != Schema {
		return nil, fmt.Errorf("%s: schema %q, and this coldcurve reads %q", path, c.Document.Schema, Schema)
	}
	policy, err := os.ReadFile(filepath.Join(dir, "policy.yaml"))
	if err != nil {
		return nil, err
	}
	if c.policy, err = gate.ParsePolicy(filepath.Join(dir, "policy.yaml"), policy); err != nil {
		return nil, err
	}
	if err := c.openLedger(); err != nil {
		return nil, err
	}
	return c, c.replay()
}

// replay goes through the pairs as they were made, and takes the looks that
// were taken.
func (c *Comparison) replay() error {
	c.sequence = gate.NewSequence(c.policy)
	taken, planned := c.Document.Taken, len(c.policy.LookAt())
	if len(taken) > planned {
		return fmt.Errorf("%d looks were taken, and the policy has %d", len(taken), planned)
	}
	for i := range c.Document.Pairs {
		if err := c.read(&c.Document.Pairs[i]); err != nil {
			return err
		}
		for len(taken) > 0 && taken[0] == len(c.base) && c.Document.Pairs[i].Usable() {
			c.find(c.sequence.Look(c.trials))
			taken = taken[1:]
		}
	}
	c.glance()
	return nil
}

// Ahead is the next pair to be made, and whether there is one: not if every rule
// has its verdict, or the last look is past, or so many pairs could not be used
// that more will not help.
func (c *Comparison) Ahead() (Pair, bool) {
	next := c.sequence.Next()
	if c.sequence.Settled() || next == 0 || len(c.base) >= next || len(c.Document.Pairs) >= MostPairs(c.policy.LookAt()) {
		return Pair{}, false
	}
	n := len(c.Document.Pairs) + 1
	p := Pair{Number: n, Seed: c.Document.Seed + uint64(n-1), First: Base}
	if stream.New(c.Document.Seed, "pairs", uint64(n)).IntN(2) == 1 {
		p.First = Head
	}
	p.Base.Dir, p.Head.Dir = p.dir(Base), p.dir(Head)
	return p, true
}

// MostPairs is the greatest number of pairs, with those that cannot be used: half
// as many again as the last look takes.
func MostPairs(looks []int) int {
	last := looks[len(looks)-1]
	return last + last/2
}

// Add takes a pair whose runs are made, or were begun, judges if a look is due,
// and writes the document.
func (c *Comparison) Add(p Pair) error {
	if err := c.read(&p); err != nil {
		return fmt.Errorf("pair %d: %w", p.Number, err)
	}
	c.Document.Pairs = append(c.Document.Pairs, p)
	if p.Usable() && len(c.base) == c.sequence.Next() {
		c.look()
	}
	c.glance()
	return c.save()
}

func (c *Comparison) look() {
	c.find(c.sequence.Look(c.trials))
	c.Document.Taken = append(c.Document.Taken, len(c.base))
}

// End marks how the comparison came to its end. Where only the time was up it
// takes a last look, in place of the one that was due: the clock does not know
// what the data say.
func (c *Comparison) End(s State, at time.Time) error {
	taken := 0
	if n := len(c.Document.Taken); n > 0 {
		taken = c.Document.Taken[n-1]
	}
	if s == OutOfTime && len(c.base) > taken && c.sequence.Next() > 0 {
		c.look()
	}
	c.Document.State, c.Document.Ended = s, at
	c.glance()
	return c.save()
}

// Resume marks a comparison as running again.
func (c *Comparison) Resume() error {
	c.Document.State, c.Document.Ended = Running, time.Time{}
	return c.save()
}

func (c *Comparison) glance() {
	why := fmt.Sprintf("%s so far, and the next look comes at %d", units.FormatNoun(len(c.base), "pair"), c.sequence.Next())
	c.find(c.sequence.Glance(c.trials, why))
}

// read reads a pair's runs, as far as they are there.
func (c *Comparison) read(p *Pair) error {
	var runs [2]*baseline.Run
	interrupted := false
	for i, r := range []*Run{&p.Base, &p.Head} {
		r.Invalid = nil
		dir, err := rundir.Open(filepath.Join(c.Path, r.Dir))
		if errors.Is(err, fs.ErrNotExist) {
			r.Invalid = []string{"was not made"}
			continue
		}
		if err != nil {
			return err
		}
		if runs[i], err = baseline.Of(dir); err != nil {
			return err
		}
		r.Invalid = runs[i].Invalid
		interrupted = interrupted || dir.Manifest.Interrupted
	}
	if runs[0] == nil || runs[1] == nil || interrupted {
		return nil // neither side lost it
	}
	base, err := c.trial(runs[0])
	if err != nil {
		return err
	}
	head, err := c.trial(runs[1])
	if err != nil {
		return err
	}
	c.trials.Base, c.trials.Head = append(c.trials.Base, base), append(c.trials.Head, head)
	if p.Usable() {
		c.base, c.head = append(c.base, runs[0]), append(c.head, runs[1])
		c.usable.Base, c.usable.Head = append(c.usable.Base, base), append(c.usable.Head, head)
	}
	return nil
}

// trial is a run as the gate compares it. What is changed on purpose, the
// platform and the flags, does not make the sides incomparable.
func (c *Comparison) trial(r *baseline.Run) (gate.Trial, error) {
	t, err := r.Trial()
	kind := make(map[string]string)
	for name, value := range t.Kind {
		if name != "platform" && !strings.HasPrefix(name, "--") {
			kind[name] = value
		}
	}
	t.Kind = kind
	if c.ledger != nil {
		c.ledger.Price(&t)
	}
	return t, err
}

// save writes the document so that a reader sees the old one or the new one.
func (c *Comparison) save() error {
	return whole.JSON(filepath.Join(c.Path, FileName), &c.Document)
}

// Paired says whether the runs were made in pairs.
func (c *Comparison) Paired() bool { return !c.unpaired }

// Policy is what the comparison is judged by.
func (c *Comparison) Policy() *gate.Policy { return c.policy }

// Runs are a side's runs that can be used.
func (c *Comparison) Runs(side string) []baseline.Run {
	from := c.base
	if side == Head {
		from = c.head
	}
	runs := make([]baseline.Run, len(from))
	for i, r := range from {
		runs[i] = *r
	}
	return runs
}

// Usable is the number of pairs that can be used so far.
func (c *Comparison) Usable() int { return len(c.base) }

// Settled says whether more pairs could not change a verdict.
func (c *Comparison) Settled() bool { return c.sequence.Settled() }

// Next is the number of usable pairs at which the next look is due; 0 after the last.
func (c *Comparison) Next() int { return c.sequence.Next() }
