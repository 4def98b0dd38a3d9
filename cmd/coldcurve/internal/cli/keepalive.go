package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/text"
	"github.com/coldcurve/coldcurve/scenarios"
)

type keepAliveCmd struct {
	Scenario string `arg:"" optional:"" help:"Scenario whose platform and first function are tried. Without it: the hello fixture on the reference runtime."`

	From      duration `help:"Shortest gap that is tried. The default is 100ms."`
	To        duration `help:"Longest gap that is tried. The default is 20m."`
	Precision string   `default:"5%" help:"How narrow it is to be found, as a share of itself."`
	Budget    duration `help:"Try nothing that would end after this. The default is 30m."`
	Probes    int      `default:"200" help:"Most probes in all."`
	Copies    int      `default:"4" help:"Copies of the function, each left idle by itself: so many gaps pass at a time. A server or function that is there already is one."`

	overrideFlags `embed:""`
	pricing       `embed:""`
	consent       `embed:""`

	Out  string `default:"runs" type:"path" help:"Folder that the search's directory is made in."`
	JSON bool   `name:"json" help:"Print one JSON document (coldcurve schema keepalive) instead of a table."`

	referenceFlags `embed:""`
}

// probed is the scenario of a search that names none.
const probed = `name: keepalive
functions: [{name: hello, fixture: hello}]
phases: [{name: search, duration: 1s, arrivals: {process: burst, count: 1}}]
`

// mostCopies are more than shorten a search.
const mostCopies = 64

// Run leaves copies of a function idle for longer and longer, and narrows down
// how long their instances are kept.
func (c *keepAliveCmd) Run(ctx context.Context, w *World) error {
	options, budget, err := c.options()
	if err != nil {
		return err
	}
	s, err := c.scenario(w, options, budget)
	if err != nil {
		return err
	}
	search, err := keepalive.NewSearch(options)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	st, err := setUp(ctx, w, s, &runCmd{overrideFlags: c.overrideFlags, pricing: c.pricing, consent: c.consent, referenceFlags: c.referenceFlags})
	if err != nil {
		return err
	}
	defer st.strike()
	document := options.Begin(keepalive.Document{
		Version: buildVersion(), Platform: s.Platform.Name, Facts: st.description.Facts,
		Function: s.Functions[0].Of, Copies: len(s.Functions), Started: w.Now(), Budget: budget,
	})
	p := &probing{
		w: w, search: search, document: &document, dir: rundir.DefaultDir(c.Out, "keepalive-"+s.Platform.Name, w.Now()),
		ends: time.Now().Add(budget), requests: payloads(s), left: requestsOf(s),
	}
	fmt.Fprintf(w.Stderr, "coldcurve: how long %s keeps an idle instance: gaps from %s to %s, %s at a time, within %s\n", s.Platform.Name,
		units.FormatDuration(options.From), units.FormatDuration(options.To), count(uint64(document.Copies), "instance"), units.FormatDuration(budget))
	failed := p.run(ctx, st.deployments)
	struck := st.strike()
	return errors.Join(failed, struck, presentKeepAlive(w, p.dir, &document, c.JSON))
}

// options are the search's bounds, with their defaults.
func (c *keepAliveCmd) options() (keepalive.Options, time.Duration, error) {
	given := func(d duration) time.Duration {
		if d.value == nil {
			return 0
		}
		return *d.value
	}
	precision, err := units.ParseShare(c.Precision)
	if err != nil {
		return keepalive.Options{}, 0, usage("--precision: %w", err)
	}
	budget := given(c.Budget)
	if budget == 0 {
		budget = 30 * time.Minute
	}
	switch {
	case budget < 0:
		return keepalive.Options{}, 0, usage("--budget %s: write a time above 0, such as 30m", units.FormatDuration(budget))
	case c.Copies < 1 || c.Copies > mostCopies:
		return keepalive.Options{}, 0, usage("--copies %d: write a number from 1 to %d", c.Copies, mostCopies)
	case c.Probes < 1:
		return keepalive.Options{}, 0, usage("--probes %d: write 1 or more", c.Probes)
	}
	o := keepalive.Options{From: given(c.From), To: given(c.To), Precision: precision, Most: c.Probes}
	if c.Seed != nil {
		o.Seed = *c.Seed
	}
	if o, err = o.WithDefaults(); err != nil {
		return o, 0, &failure{code: exitUsage, err: err}
	}
	return o, budget, nil
}

// scenario is copies of the function, and as many requests as there may be, so
// that what they may cost is known.
func (c *keepAliveCmd) scenario(w *World, o keepalive.Options, budget time.Duration) (*scenarios.Scenario, error) {
	overrides, err := c.overrides(w)
	if err != nil {
		return nil, err
	}
	var s *scenarios.Scenario
	if c.Scenario == "" {
		s, err = scenarios.Parse("keepalive", []byte(probed), overrides)
	} else {
		s, err = scenarios.Find(c.Scenario, overrides)
	}
	if err != nil {
		return nil, err
	}
	copies := c.Copies
	f, search := s.Functions[0], scenarios.Phase{Name: "search", Duration: budget}
	if s.Platform.Name == "http" || f.Existing != "" {
		copies = 1 // what answers there is one, however often it is named
	}
	f.Of, s.Functions = f.Name, nil
	for i := range copies {
		own := f
		if copies > 1 {
			own.Name = fmt.Sprintf("%s-%d", f.Name, i+1)
		}
		s.Functions = append(s.Functions, own)
		search.Arrivals = append(search.Arrivals, scenarios.Arrivals{Function: own.Name, Process: "burst", Count: 1 + (o.Most+copies-1)/copies})
	}
	s.Phases, s.Expect, s.Faults = []scenarios.Phase{search}, nil, nil
	return s, nil
}

// requestsOf are as many as the scenario has, which is what was asked about.
func requestsOf(s *scenarios.Scenario) (n int) {
	for _, a := range s.Phases[0].Arrivals {
		n += a.Count
	}
	return n
}

// probing sends the probes of a search.
type probing struct {
	w        *World
	dir      string
	ends     time.Time
	requests map[string]platform.Request

	mu       sync.Mutex
	search   *keepalive.Search
	document *keepalive.Document
	left     int   // requests that may still be sent
	heard    bool  // one was answered with success
	silent   int   // copies that are not probed any more
	err      error // that ends the search
}

// run probes every copy by itself until nothing is left to be learned, and
// marks the document with how it ended.
func (p *probing) run(caller context.Context, deployments map[string]platform.Deployment) error {
	ctx, stop := context.WithCancel(caller)
	defer stop()
	var copies sync.WaitGroup
	for name, d := range deployments {
		copies.Go(func() { p.probe(ctx, stop, name, d) })
	}
	copies.Wait()
	d := p.document
	d.Ended = p.w.Now()
	switch {
	case p.err == nil && caller.Err() != nil:
		d.State, p.err = keepalive.Interrupted, errors.New("interrupted; what was found is kept and marked")
	case p.err != nil:
		d.State = keepalive.Failed
	case p.search.Done():
		d.State = keepalive.Complete
	default:
		d.State = keepalive.OutOfTime
	}
	return errors.Join(p.err, d.Save(p.dir))
}

// mostFailures in a row end a copy's probes.
const mostFailures = 5

// probe leaves one copy idle again and again. The first request of all, and one
// after a failure, only see to it that there is an instance.
func (p *probing) probe(ctx context.Context, stop func(), name string, d platform.Deployment) {
	var asked, last time.Time // the request before and its answer; zero where no instance is known to be there
	var instance string
	for failures := 0; ctx.Err() == nil; {
		var gap time.Duration
		if !last.IsZero() {
			var ok bool
			if gap, ok = p.next(); !ok {
				return
			}
			if !wait(ctx, time.Until(last.Add(gap))) {
				return
			}
		}
		if !p.spend() {
			return
		}
		sent := time.Now()
		response, err := d.Invoke(ctx, p.requests[name])
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			last = time.Time{}
			p.failed(gap, err)
			if failures++; failures == mostFailures {
				p.abandoned(err)
				return
			}
			continue
		}
		failures = 0
		p.hear()
		if !last.IsZero() {
			p.answered(stop, keepalive.Probe{Asked: gap, Gap: sent.Sub(last), AtMost: time.Since(asked), Function: name}, &response.Evidence, instance)
		}
		asked, last, instance = sent, time.Now(), response.Evidence.Instance
	}
}

func (p *probing) next() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.search.Next(time.Until(p.ends))
}

// spend takes a request off those that there may be at most, failed ones
// included; false if there is none left.
func (p *probing) spend() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
	return p.left >= 0
}

func (p *probing) failed(asked time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.search.Drop(asked)
	p.document.Failed++
	if p.document.Failure == "" {
		p.document.Failure = inWords(err, nil)
	}
}

// abandoned counts a copy that is not probed any more. Without the last there is
// no search.
func (p *probing) abandoned(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent++; p.silent < p.document.Copies {
		return
	}
	what := "no request is answered with success any more"
	if !p.heard {
		what = "no request was answered with success"
	}
	p.err = hinted(fmt.Errorf("%s: %w", what, err), platform.HintOf(err))
}

func (p *probing) hear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = true
}

// mostUnknown answers without evidence are enough, where none has any.
const mostUnknown = 3

// answered takes an answer that comes after a gap, with the instance of the one before.
func (p *probing) answered(stop func(), probe keepalive.Probe, e *platform.Evidence, before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, known := stillThere(e, before)
	if !known {
		p.search.Drop(probe.Asked)
		if p.document.Unknown++; p.document.Unknown >= mostUnknown && len(p.document.Probes) == 0 {
			p.err = hinted(fmt.Errorf("%s does not tell whether an instance was there", p.document.Platform),
				"its functions can tell by themselves: see the beacon in fixtures/beacon")
			stop()
		}
		return
	}
	probe.Kept, probe.Start, probe.Grade = kept, e.Start.String(), e.Grade.String()
	p.search.Add(probe)
	p.document.Add(probe)
	p.say(&probe)
	if err := p.document.Save(p.dir); err != nil {
		p.err = err
		stop()
	}
}

// stillThere says by evidence alone whether an answer comes from an instance
// that was kept. One that was paused, and is the one before, was.
func stillThere(e *platform.Evidence, before string) (kept, known bool) {
	s := sample.Sample{Start: e.Start, Grade: e.Grade}
	switch s.Believed() {
	case sample.Warm, sample.Provisioned:
		return true, true
	case sample.Cold, sample.Prewarmed:
		return false, true
	case sample.Restored:
		return e.Instance != "" && e.Instance == before, true
	}
	return false, false
}

func (p *probing) say(probe *keepalive.Probe) {
	outcome := "gone"
	if probe.Kept {
		outcome = "still there"
	}
	line := fmt.Sprintf("probe %d: idle for %s, %s (%s, %s)", len(p.document.Probes), units.FormatDuration(probe.Gap), outcome, probe.Start, probe.Grade)
	if f := &p.document.Finding; f.Kept != nil && f.Gone != nil {
		line += fmt.Sprintf("; so far: kept %s, gone after %s", units.FormatDuration(*f.Kept), units.FormatDuration(*f.Gone))
	}
	fmt.Fprintf(p.w.Stderr, "coldcurve: %s\n", line)
}

// wait says whether so long went by before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// presentKeepAlive prints what a search has found unless a document is asked
// for, and puts picture and page into its directory.
func presentKeepAlive(w *World, dir string, d *keepalive.Document, asJSON bool) error {
	report := reports.KeepAliveOf(d)
	if asJSON {
		if err := printJSON(w.Stdout, d); err != nil {
			return err
		}
	} else if err := text.KeepAlive(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), report); err != nil {
		return err
	}
	charts := chart.KeepAlive(report)
	page := func(out io.Writer) error { return html.KeepAlive(out, report) }
	if err := renderPage(dir, charts, page); err != nil {
		return &unsavedError{err}
	}
	return sayReport(w, dir, asJSON)
}
