package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/platform/reference"
)

type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

// scriptCommands are the words that our scripts have beyond testscript's own.
func scriptCommands() map[string]scriptCommand {
	return map[string]scriptCommand{
		"exitcode":   exitCode,
		"summary":    summaryIs,
		"evicted":    evicted,
		"tier":       tierIs,
		"interrupt":  interrupted,
		"server":     startServer,
		"served":     served,
		"nowhere":    keptNowhere,
		"noorphans":  noOrphans,
		"figures":    figures,
		"agree":      agree,
		"endearly":   endedEarly,
		"billed":     billed,
		"keeps":      keeps,
		"runs":       makeRuns,
		"comparison": makeComparison,
	}
}

// exitCode runs a command and wants that very code: exitcode 2 coldcurve ...
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// interrupted runs a command, sends it the signal once its run directory
// holds samples, and wants it to end by itself: interrupt INT coldcurve ...
// RUNTIME kills the reference runtime under it. What it prints goes to the file
// out.
func interrupted(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "KILL": syscall.SIGKILL}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+ts.Getenv("XDG_CACHE_HOME"))
	out, err := os.Create(filepath.Join(cmd.Dir, "out"))
	ts.Check(err)
	defer out.Close()
	cmd.Stdout = out
	ts.Check(cmd.Start())
	deadline := time.Now().Add(5 * time.Minute) // only a failure takes so long: a build may come first
	for !hasSamples(cmd.Dir) {
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			ts.Fatalf("no samples on disk after five minutes")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if args[0] == "RUNTIME" {
		for killRuntime(cmd.Process.Pid) != nil { // a list of children that is read while one ends may leave others out
			if time.Now().After(deadline) {
				_ = cmd.Process.Kill()
				ts.Fatalf("process %d has no runtime", cmd.Process.Pid)
			}
			time.Sleep(50 * time.Millisecond)
		}
	} else {
		ts.Check(cmd.Process.Signal(signals[args[0]]))
	}
	_ = cmd.Wait() // its exit code is not the point; what it leaves behind is
}

// killRuntime kills the process that pid has started to serve.
func killRuntime(pid int) error {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(text)) {
			cmdline, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if !strings.Contains(string(cmdline), "\x00serve\x00") {
				continue
			}
			id, err := strconv.Atoi(child)
			if err != nil {
				return err
			}
			runtime, err := os.FindProcess(id)
			if err != nil {
				return err
			}
			return runtime.Kill()
		}
	}
	return fmt.Errorf("process %d has started no runtime", pid)
}

func hasSamples(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "runs", "*", "samples.jsonl.zst"))
	inTurn, _ := filepath.Glob(filepath.Join(dir, "runs", "*", "*", "samples.jsonl.zst")) // of a matrix
	search, _ := filepath.Glob(filepath.Join(dir, "runs", "*", keepalive.FileName))
	for _, f := range slices.Concat(files, inTurn, search) {
		if info, err := os.Stat(f); err == nil && info.Size() > 100 {
			return true
		}
	}
	return false
}

// summaryIs checks figures of the JSON document on the last command's stdout:
//
//	summary valid=true cold>=12 cold_share@gaps=1
func summaryIs(ts *testscript.TestScript, _ bool, args []string) {
	var doc summary.Document
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	if doc.Schema != summary.Schema {
		ts.Fatalf("schema %q, want %q", doc.Schema, summary.Schema)
	}
	for _, arg := range args {
		for _, run := range doc.Runs {
			if err := holds(&run, arg); err != nil {
				ts.Fatalf("%s: %v", run.Scenario, err)
			}
		}
	}
}

func holds(run *summary.Run, claim string) error {
	i := strings.IndexAny(claim, "<>=")
	op := claim[i : i+1]
	rest := claim[i+1:]
	if strings.HasPrefix(rest, "=") {
		op, rest = op+"=", rest[1:]
	}
	want, err := strconv.ParseFloat(rest, 64)
	if err != nil {
		return err
	}
	name, phase, _ := strings.Cut(claim[:i], "@")
	got, err := figure(run, name, phase)
	if err != nil {
		return err
	}
	ok := map[string]bool{"=": got == want, ">=": got >= want, "<=": got <= want, ">": got > want, "<": got < want}[op]
	if !ok {
		return &claimError{claim, got}
	}
	return nil
}

// evicted wants each run of the JSON document on the last command's stdout to
// have sent so many requests, all of them answered, and every one cold but those
// that by the run's own word came too early for that: evicted 6.
func evicted(ts *testscript.TestScript, _ bool, args []string) {
	var doc summary.Document
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	sent, err := strconv.ParseUint(args[0], 10, 64)
	ts.Check(err)
	late := regexp.MustCompile(`^(\d+) requests? came while the eviction`)
	for _, run := range doc.Runs {
		early := uint64(0)
		for _, w := range run.Warnings {
			if m := late.FindStringSubmatch(w.Message); m != nil {
				early, err = strconv.ParseUint(m[1], 10, 64)
				ts.Check(err)
			}
		}
		if !run.Complete || run.Errors > 0 || run.Sent != sent || run.Known != sent || run.Cold == 0 || run.Cold+early < sent {
			ts.Fatalf("%s: complete %v, %d errors, of %d sent %d are known and %d cold, %d came too early; want %d cold",
				run.Scenario, run.Complete, run.Errors, run.Sent, run.Known, run.Cold, early, sent)
		}
	}
}

// tierIs wants starts of a tier in the JSON document on the last command's
// stdout: tier FUNCTION TIER START LEAST. All are attested, and their parts are
// none below 0 and add up to the mean service.
func tierIs(ts *testscript.TestScript, _ bool, args []string) {
	var doc summary.Document
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	least, err := strconv.ParseUint(args[3], 10, 64)
	ts.Check(err)
	for _, g := range doc.Runs[0].Groups {
		if g.Function != args[0] || g.Start != args[2] {
			continue
		}
		if g.Tier != args[1] || g.N < least || g.Grade != sample.Attested.String() || g.Breakdown.N != g.N {
			ts.Fatalf("%s: %d of tier %q, %s, with %d breakdowns; want at least %d of tier %q, attested, each with a breakdown",
				g.Function, g.N, g.Tier, g.Grade, g.Breakdown.N, least, args[1])
		}
		b, sum := &g.Breakdown, int64(0)
		for name, part := range map[string]*int64{
			"queue": b.Queue, "provision": b.Provision, "boot": b.Boot, "init": b.Init, "handler": b.Handler, "rest": b.Rest,
		} {
			if part == nil {
				continue
			}
			if sum += *part; *part < 0 {
				ts.Fatalf("%s: %s takes %d ns", g.Function, name, *part)
			}
		}
		const rounding = 7 // a nanosecond a mean
		if b.Provision == nil || b.Handler == nil || g.Service.Mean == nil || max(sum-*g.Service.Mean, *g.Service.Mean-sum) > rounding {
			ts.Fatalf("%s: the parts are %+v and add up to %d, want %v", g.Function, *b, sum, g.Service.Mean)
		}
		return
	}
	ts.Fatalf("%s has no %s start", args[0], args[2])
}

// can is a condition of scripts: [can:namespace] is a sandbox, [can:python3] a
// program. Where skipping is forbidden, what is missing is an error.
func can(condition string) (bool, error) {
	what, ok := strings.CutPrefix(condition, "can:")
	if !ok {
		return false, fmt.Errorf("no condition %q", condition)
	}
	err := reference.Available(context.Background(), what)
	if !slices.Contains(reference.SandboxNames(), what) {
		_, err = exec.LookPath(what)
	}
	if err != nil && os.Getenv("COLDCURVE_REQUIRE") != "" {
		return false, err
	}
	return err == nil, nil
}

type claimError struct {
	claim string
	got   float64
}

func (e *claimError) Error() string {
	return "want " + e.claim + ", got " + strconv.FormatFloat(e.got, 'g', -1, 64)
}

func figure(run *summary.Run, name, phase string) (float64, error) {
	if phase != "" {
		for _, p := range run.Phases {
			if p.Name == phase {
				return phaseFigure(&p, name), nil
			}
		}
		return 0, &claimError{"a phase " + phase, 0}
	}
	if kind, ok := strings.CutPrefix(name, "errors_by_kind."); ok {
		n := uint64(0)
		for _, g := range run.Groups {
			n += g.ErrorKinds[kind]
		}
		return float64(n), nil
	}
	switch name {
	case "cold":
		return float64(run.Cold), nil
	case "sent":
		return float64(run.Sent), nil
	case "offered":
		return float64(run.Offered), nil
	case "dropped":
		return float64(run.Dropped), nil
	case "errors":
		return float64(run.Errors), nil
	case "unknown":
		return float64(run.Unknown), nil
	case "known":
		return float64(run.Known), nil
	case "complete":
		return truth(run.Complete), nil
	case "condemned":
		return truth(run.Condemned), nil
	case "valid":
		return truth(run.Valid), nil
	}
	return 0, &claimError{"a figure " + name, 0}
}

func phaseFigure(p *summary.Phase, name string) float64 {
	switch name {
	case "cold":
		return float64(p.Cold)
	case "sent":
		return float64(p.Sent)
	case "known":
		return float64(p.Known)
	}
	return -1
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
