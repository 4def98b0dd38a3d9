// Package cli owns the command line: it parses, calls, prints and exits.
//
// In: a [World]. Out: text or JSON on stdout, talk on stderr, an exit code.
// One file a command; no figure is computed here.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

// Exit codes, promised in the README.
const (
	exitGood       = 0
	exitFailure    = 1 // something could not be done
	exitUsage      = 2 // the command line or an input file is wrong
	exitRegression = 3 // a budget is broken, or something got worse
	exitUndecided  = 4 // gate and compare: inconclusive, incomparable or invalid
)

// version is set by the linker; see the Makefile.
var version = "devel"

// grammar is the command line; each command is in the file of its name.
type grammar struct {
	Run       runCmd       `cmd:"" help:"Drive scenarios at a platform and say how long callers wait. Without an argument: the quick suite on the built-in reference runtime."`
	Serve     serveCmd     `cmd:"" help:"Run the reference runtime alone, until interrupted."`
	Simulate  simulateCmd  `cmd:"" help:"Simulate traffic on a policy in virtual time: cold starts, instances, latency, usage."`
	KeepAlive keepAliveCmd `cmd:"" name:"keepalive" help:"Find how long a platform keeps an idle instance, by a search over gaps."`
	Compare   compareCmd   `cmd:"" help:"Measure two sides in adjacent pairs of runs until it is clear which is worse: builds, git revisions, settings, platforms."`
	Gate      gateCmd      `cmd:"" help:"Hold runs against other runs or saved baselines: did it get worse, and how sure is that?"`
	Baseline  baselineCmd  `cmd:"" help:"Runs that are kept for later comparisons: save, list, show, prune, import."`
	Report    reportCmd    `cmd:"" help:"Render a run directory again."`
	Cost      costCmd      `cmd:"" help:"What traffic costs, and who pays."`
	Validate  validateCmd  `cmd:"" help:"Check scenario files."`
	Schema    schemaCmd    `cmd:"" help:"Print a JSON schema: of a scenario file, or of what --json prints."`
	Cleanup   cleanupCmd   `cmd:"" help:"Remove what runs on platforms lambda, openwhisk and docker have left that were killed."`
	Prices    pricesCmd    `cmd:"" help:"The price book: list, explain, check a file of your own, compare two days."`
	Doctor    doctorCmd    `cmd:"" help:"Say what can run on this machine and why not; measure the harness's own error."`
	Version   versionCmd   `cmd:"" help:"Print the version."`

	Platforms platformsCmd `cmd:"" help:"List the platforms that scenarios run on."`
}

// failure is an error with the exit code that it deserves.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usage(format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// hinted adds what the reader can do about err.
func hinted(err error, hint string) error {
	return &failure{code: exitFailure, err: err, hint: hint}
}

// exited carries the code of kong's own exit (after --help) out of the parser.
type exited int

// Main runs one command and gives its exit code.
func Main(w *World) (code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exited:
			code = int(r)
		default:
			panic(r)
		}
	}()

	ctx, stop := w.Signals()
	defer stop()

	var g grammar
	parser, err := kong.New(&g,
		kong.Name("coldcurve"),
		kong.Description("Measures cold starts, warm latency and cost of serverless functions."),
		kong.Writers(w.Stdout, w.Stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(w),
		kong.PostBuild(placeholders),
	)
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	command, err := parser.Parse(w.Args)
	if err != nil {
		err = &failure{code: exitUsage, err: err, hint: "coldcurve --help lists commands and flags"}
	} else {
		err = command.Run()
	}
	if errors.Is(err, syscall.EPIPE) && context.Cause(ctx) == errUnread {
		return exitFailure // whoever has closed the pipe knows
	}
	return report(w.Stderr, err)
}

// report says what went wrong and gives the exit code for it.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitGood
	}
	if faults, ok := errors.AsType[scenarios.Faults](err); ok {
		for _, f := range faults { // each names its own place; what has no line is none that an editor opens
			if f.Line == 0 {
				fmt.Fprint(stderr, "coldcurve: error: ")
			}
			fmt.Fprintln(stderr, f)
		}
		return exitUsage
	}
	fmt.Fprintf(stderr, "coldcurve: error: %v\n", err)
	code, hint := exitFailure, platform.HintOf(err)
	if f, ok := errors.AsType[*failure](err); ok {
		code, hint = f.code, cmp.Or(f.hint, hint)
	}
	if hint != "" {
		fmt.Fprintf(stderr, "coldcurve: hint: %s\n", hint)
	}
	return code
}
