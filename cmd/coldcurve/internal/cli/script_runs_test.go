package cli

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// recipe is what runs are made of that nobody measured.
type recipe struct {
	cold, warm int
	ms         float64       // the median cold start; a warm one takes a tenth
	spread     float64       // of the logarithm, between runs and between requests
	late       time.Duration // how late each request was sent
	work       time.Duration // that each request's handler took; 0 is not told
	cpu        string
	seed       uint64
	dropped    int // of the arrivals
	latePairs  int // of a comparison, the first, whose head's requests were sent late
	first      int // the first run's number
}

// makeRuns makes run directories: runs FOLDER N [cold=20] [ms=100] [cpu=one] ...
func makeRuns(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	r := readRecipe(ts, args[2:])
	rng := rngOf(fmt.Sprint(args[0], r.first))
	for i := range n {
		ts.Check(r.write(ts.MkAbs(fmt.Sprintf("%s/%02d", args[0], i+r.first)), rng))
	}
}

// makeComparison makes a comparison of pairs, whose base is as runs are made
// and whose head by a recipe: comparison FOLDER N [ms=130] ...
func makeComparison(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	base, head, rng := readRecipe(ts, nil), readRecipe(ts, args[2:]), rngOf(args[0])
	c, err := comparison.Create(dir, comparison.Document{Scenario: "shop", Base: comparison.Side{What: "before"}, Head: comparison.Side{What: "after"}},
		[]byte("rules:\n  - {metric: latency.p50, start: cold, margin: 10%}\n"), []byte("name: shop\n"))
	ts.Check(err)
	for i := range n {
		p := comparison.Pair{Number: i + 1, First: comparison.Base}
		p.Base.Dir, p.Head.Dir = fmt.Sprintf("pair-%03d-base", i+1), fmt.Sprintf("pair-%03d-head", i+1)
		ts.Check(base.write(filepath.Join(dir, p.Base.Dir), rng))
		after := head
		if i < head.latePairs {
			after.late = 80 * time.Millisecond
		}
		ts.Check(after.write(filepath.Join(dir, p.Head.Dir), rng))
		ts.Check(c.Add(p))
	}
	ts.Check(c.End(comparison.Complete, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)))
}

// rngOf gives each folder its own noise, the same each time.
func rngOf(folder string) *rand.Rand {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(folder))
	return rand.New(rand.NewPCG(1, hash.Sum64()))
}

func readRecipe(ts *testscript.TestScript, args []string) recipe {
	r := recipe{cold: 20, ms: 100, spread: .03, cpu: "one", seed: 7, first: 1}
	var err error
	for _, arg := range args {
		key, text, _ := strings.Cut(arg, "=")
		switch key {
		case "cold":
			r.cold, err = strconv.Atoi(text)
		case "warm":
			r.warm, err = strconv.Atoi(text)
		case "dropped":
			r.dropped, err = strconv.Atoi(text)
		case "latepairs":
			r.latePairs, err = strconv.Atoi(text)
		case "first":
			r.first, err = strconv.Atoi(text)
		case "ms":
			r.ms, err = strconv.ParseFloat(text, 64)
		case "late":
			r.late, err = time.ParseDuration(text)
		case "work":
			r.work, err = time.ParseDuration(text)
		case "seed":
			r.seed, err = strconv.ParseUint(text, 10, 64)
		case "cpu":
			r.cpu = text
		default:
			err = fmt.Errorf("runs have no %s", key)
		}
		ts.Check(err)
	}
	return r
}

func (r *recipe) write(path string, rng *rand.Rand) error {
	const gap = 100 * time.Millisecond
	all := r.cold + r.warm
	w, err := rundir.Create(path, rundir.Manifest{
		Scenario: "shop", Seed: r.seed, Platform: platform.Description{Name: "reference"},
		Phases:    []rundir.Phase{{Name: "sale", End: time.Duration(all) * gap, Offered: uint64(all)}},
		Functions: []string{"hello"}, Offered: uint64(all), InFlight: rundir.InFlight{Max: 100, When: "drop"},
		Started: time.Date(2026, 11, 22, 0, 0, 0, rng.IntN(1e9), time.UTC), Host: rundir.Host{OS: "linux", Arch: "amd64", CPU: r.cpu, Cores: 2},
	}, []byte("name: shop\n"))
	if err != nil {
		return err
	}
	median := r.ms * math.Exp(r.spread*rng.NormFloat64())
	for i := range all {
		s := sample.Sample{Seq: uint64(i), Phase: "sale", Function: "hello", Intended: time.Duration(i) * gap, Grade: sample.Attested, Start: sample.Cold, Breakdown: sample.Breakdown{Handler: r.work}}
		took := median * math.Exp(r.spread*rng.NormFloat64())
		if i >= r.cold {
			s.Start = sample.Warm
			took /= 10
		}
		s.Sent = s.Intended + r.late
		s.Done = s.Sent + time.Duration(took*float64(time.Millisecond))
		s.FirstByte = s.Done
		if i < r.dropped {
			s = sample.Sample{Seq: s.Seq, Phase: s.Phase, Function: s.Function, Intended: s.Intended, Err: sample.Dropped}
		}
		if err := w.Append(&s); err != nil {
			return err
		}
	}
	return w.Finish(func(m *rundir.Manifest) { m.Complete = true })
}
