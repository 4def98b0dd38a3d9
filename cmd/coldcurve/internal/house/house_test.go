package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

const module = "github.com/coldcurve/coldcurve/"

// bans: no package in from or below it reaches to, directly or through others.
// A target that ends in /... stands for everything below it too.
var bans = []struct{ from, to, reason string }{
	{"scenarios/arrival", "scenarios", "an arrival process is pure mathematics; the scenario is built from it, not the other way"},
	{"scenarios/arrival", "platform", "when requests come does not depend on who serves them"},
	{"platform/lifecycle", "platform", "the policy is pure: the simulator and the runtime must be able to drive the same code"},
	{"analysis", "scenarios/drive", "figures are made from what was recorded, not while it is recorded"},
	{"analysis", "platform/reference/...", "figures must not know which platform they are of"},
	{"analysis", "platform/http/...", "figures must not know which platform they are of"},
	{"reports", "platform/reference/...", "a report is a pure value and can be rendered where no platform runs"},
	{"reports", "platform/http/...", "a report is a pure value and can be rendered where no platform runs"},
	{"reports", "scenarios/drive", "a report is rendered from what was recorded"},
	{"platform", "scenarios", "an adapter serves requests; it does not know which experiment they belong to"},
	{"platform/http", "platform/reference/...", "adapters do not know each other"},
	{"platform/reference", "platform/http/...", "adapters do not know each other"},
	{"platform/reference/catalog", "platform/reference/lambdaapi/...", "what functions exist does not depend on the wire that they are made by"},
	{"platform/reference/engine", "platform/reference/catalog/...", "the engine runs versions; names, aliases and what is kept are the catalogue's"},
	{"platform/reference/catalog/code", "platform/...", "a leaf: the code store knows files, not functions"},
	{"scenarios/drive", "platform/reference/...", "the driver knows the contract, not an adapter"},
	{"scenarios/drive", "platform/http/...", "the driver knows the contract, not an adapter"},
	{"platform/reference/sigv4", "platform/reference/lambdaapi", "who signed a request does not depend on what it asks for"},
	{"analysis/sample", "platform", "a leaf: the contract imports it"},
	{"analysis/units", "analysis/...", "a leaf"},
	{"analysis/whole", "analysis/...", "a leaf"},
	{"analysis/traffic", "scenarios", "traffic is read without knowing an experiment; who simulates a scenario hands its processes over"},
	{"analysis/usage", "analysis/...", "a leaf: whoever meters and whoever prices imports it"},
	{"analysis/metric", "analysis/summary", "a leaf: names only"},
	{"analysis/gate", "analysis/rundir", "verdicts are about figures, wherever they were kept"},
	{"analysis/budget", "analysis/summary", "a leaf: scenarios and run directories hold budgets and know no figures"},
	{"analysis/dist", "platform", "a leaf: durations and nothing of what takes them"},
	{"analysis/sim", "analysis/prices", "the simulator yields usage, never money"},
	{"analysis/sim", "analysis/cost", "the simulator yields usage, never money"},
	{"analysis/sim", "analysis/rundir", "the simulator reads no files"},
	{"analysis", "platform/server/...", "figures must not know which platform they are of"},
	{"reports", "platform/server/...", "a report is a pure value and can be rendered where no platform runs"},
	{"scenarios/drive", "platform/server/...", "the driver knows the contract, not an adapter"},
	{"platform/server", "platform/reference/...", "a server needs no function runtime; it speaks through platform/http, which is what it is"},
	{"platform/reference", "platform/server/...", "adapters do not know each other"},
	{"platform/http", "platform/server/...", "what is already there is not started"},
	{"analysis", "platform/lambda/...", "figures must not know which platform they are of"},
	{"reports", "platform/lambda/...", "a report is a pure value and can be rendered where no platform runs"},
	{"scenarios/drive", "platform/lambda/...", "the driver knows the contract, not an adapter"},
	{"platform/lambda", "platform/reference/...", "adapters do not know each other"},
	{"analysis", "platform/docker/...", "figures must not know which platform they are of"},
	{"reports", "platform/docker/...", "a report is a pure value and can be rendered where no platform runs"},
	{"scenarios/drive", "platform/docker/...", "the driver knows the contract, not an adapter"},
	{"platform/reference", "platform/docker/...", "adapters do not know each other"},
	{"platform/docker", "platform/reference/engine/...", "containers are made as the container sandbox does, and no function runtime stands before them"},
	{"platform/docker", "analysis/prices", "an adapter runs functions; what they cost is for who asks it to"},
	{"platform/lambda", "analysis/prices", "an adapter runs functions; what they cost is for who asks it to"},
	{"analysis", "platform/workers/...", "figures must not know which platform they are of"},
	{"reports", "platform/workers/...", "a report is a pure value and can be rendered where no platform runs"},
	{"scenarios/drive", "platform/workers/...", "the driver knows the contract, not an adapter"},
	{"platform/workers", "platform/reference/...", "adapters do not know each other"},
	{"analysis", "platform/openwhisk/...", "figures must not know which platform they are of"},
	{"reports", "platform/openwhisk/...", "a report is a pure value and can be rendered where no platform runs"},
	{"scenarios/drive", "platform/openwhisk/...", "the driver knows the contract, not an adapter"},
	{"platform/openwhisk", "platform/reference/...", "adapters do not know each other"},
	{"platform/openwhisk", "analysis/prices", "an adapter runs functions; what they cost is for who asks it to"},
	{"platform/mark", "platform", "a leaf: whose something is, whatever it is"},
	{"platform/secret", "platform", "a leaf: what is struck out of texts, whoever sends it"},
	{"platform/owner", "platform", "a leaf: a process, whatever it has made"},
	{"platform/bundle", "platform", "a leaf: files, whatever they do"},
	{"platform/http/exchange", "platform/http", "how a request is sent does not depend on whose it is"},
	{"platform/tail", "platform/...", "a leaf: text, whoever prints it"},
	{"analysis/capacity", "analysis/summary", "a summary holds capacities"},
	{"analysis/queue", "analysis/...", "a leaf: formulas only"},
	{"analysis/strict", "scenarios", "a reader of files knows no keys"},
	{"analysis/strict", "platform", "a reader of files knows no keys"},
	{"analysis/prices", "scenarios/...", "the price book is data; whoever prices a scenario reads it"},
	{"analysis/prices", "platform/...", "the price book is data, and prices know no platform that runs"},
	{"analysis/prices", "analysis/cost", "prices make no bills"},
	{"analysis/cost", "analysis/sim/...", "a bill is made of quantities, wherever they come from: study joins the two"},
	{"analysis/comparison", "scenarios", "a comparison is judged by what was recorded, whoever makes its runs"},
	{"analysis/keepalive", "platform/...", "which gap is tried next does not depend on who answers"},
	{"analysis/matrix", "scenarios/drive", "platforms are laid side by side by what was recorded, whoever made the runs"},
	{"analysis", "scenarios/pairs", "what was recorded is judged without knowing who made it"},
	{"analysis/charge", "scenarios", "what a run costs is by its figures, whatever it ran"},
	{"scenarios/pairs", "platform/reference/...", "who orders runs makes none"},
	{"scenarios/pairs", "scenarios/drive", "who orders runs makes none"},
	{"analysis/cost", "analysis/rundir", "a bill reads no files"},
	{"analysis/sim/fleet", "platform/...", "machines that are rented run no function platform"},
	{"analysis/stream", "analysis/...", "a leaf: streams of random numbers, whoever draws from them"},
	{"fixtures/prices", "analysis/...", "files, and nothing of what reads them"},
	{"fixtures/presets", "analysis/...", "files, and nothing of what reads them"},
	{"platform/http", "fixtures", "what is already there is not built"},
}

// confined lists third-party modules that only one room may import.
var confined = []struct{ module, room, reason string }{
	{"github.com/tsenart/vegeta/", "scenarios/drive", "the attack is the driver's"},
	{"gonum.org/v1/plot", "reports/chart", "drawing is the chart's"},
	{"github.com/HdrHistogram/", "analysis/hist", "one histogram type in the house"},
	{"github.com/olekukonko/tablewriter", "reports/text", "terminal tables are the text report's"},
	{"github.com/alecthomas/kong", "cmd/coldcurve/internal/cli", "the command line is the command's"},
	{"go.yaml.in/yaml", "analysis/strict", "positions of faults are the strict reader's"},
	{"github.com/hashicorp/cronexpr", "platform/reference/events", "when a schedule is due is the events'"},
	{"github.com/moby/moby/", "platform/reference/sandbox/container", "the Docker engine is spoken to in one place; platform docker has its containers made there"},
	{"github.com/moby/profiles/seccomp", "platform/reference/sandbox/namespace/filter", "what a function may call is the filter's"},
	{"github.com/klauspost/compress", "analysis/rundir", "files are the run directory's"},
	{"github.com/aclements/go-moremath", "analysis/stats", "tests of significance are the statistics'"},
	{"github.com/tetratelabs/wazero", "platform/reference/sandbox/wasm", "modules are the wasm sandbox's"},
	{"github.com/aws/", "platform/lambda", "an SDK is its adapter's"},
}

// oracles are third-party modules that only these rooms may import, and only in
// their tests; but for the room that confined gives them to.
var oracles = []struct {
	module string
	rooms  []string
	reason string
}{
	{"github.com/aws/aws-sdk-go-v2", []string{"platform/reference", "platform/reference/lambdaapi", "platform/reference/sigv4"}, "AWS's SDK is what the wire is held against, and no part of it"},
	{"github.com/aws/smithy-go", []string{"platform/reference/lambdaapi"}, "as AWS's SDK, whose errors it has"},
}

// clockless rooms read neither the wall clock nor a global random source; the
// imports cannot show it, the source does.
var clockless = []string{
	"analysis/budget",
	"analysis/capacity",
	"analysis/comparison/calibration",
	"analysis/cost",
	"analysis/dist",
	"analysis/gate",
	"analysis/hist",
	"analysis/keepalive",
	"analysis/matrix",
	"analysis/metric",
	"analysis/prices",
	"analysis/queue",
	"analysis/sample",
	"analysis/sim",
	"analysis/sim/fleet",
	"analysis/stats",
	"analysis/strict",
	"analysis/study",
	"analysis/summary",
	"analysis/traffic",
	"analysis/units",
	"analysis/usage",
	"platform/lifecycle",
	"scenarios/arrival",
}

type listed struct {
	ImportPath   string
	Dir          string
	Doc          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports,TestImports,XTestImports,Deps", module+"...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
}

// inRoom says whether path is room or below it.
func inRoom(path, room string) bool {
	return path == room || strings.HasPrefix(path, room+"/")
}

func TestBans(t *testing.T) {
	all := packages(t)
	for _, ban := range bans {
		for _, p := range all {
			if !inRoom(p.ImportPath, ban.from) {
				continue
			}
			for _, dep := range p.Deps {
				if dep, ours := strings.CutPrefix(dep, module); ours && banned(dep, ban.to) {
					t.Errorf("%s reaches %s: %s", p.ImportPath, dep, ban.reason)
				}
			}
		}
	}
}

func banned(path, target string) bool {
	if room, below := strings.CutSuffix(target, "/..."); below {
		return inRoom(path, room)
	}
	return path == target
}

func TestConfinedModules(t *testing.T) {
	for _, c := range confined {
		used := false
		for _, p := range packages(t) {
			for _, imp := range p.Imports {
				if !strings.HasPrefix(imp, c.module) {
					continue
				}
				used = true
				if !inRoom(p.ImportPath, c.room) {
					t.Errorf("%s imports %s, which only %s may: %s", p.ImportPath, imp, c.room, c.reason)
				}
			}
		}
		if !used {
			t.Errorf("nothing imports %s any more: take it out of this table and out of go.mod", c.module)
		}
	}
}

func TestOraclesAreTheTests(t *testing.T) {
	all := packages(t)
	for _, o := range oracles {
		used := false
		for _, p := range all {
			for _, imp := range slices.Concat(p.TestImports, p.XTestImports, p.Imports) {
				if !inRoom(imp, o.module) {
					continue
				}
				used = true
				if isConfined(imp, p.ImportPath) {
					continue
				}
				if slices.Contains(p.Imports, imp) || !slices.Contains(o.rooms, p.ImportPath) {
					t.Errorf("%s imports %s, which only the tests of %v may: %s", p.ImportPath, imp, o.rooms, o.reason)
				}
			}
		}
		if !used {
			t.Errorf("no test imports %s any more: take it out of this table and out of go.mod", o.module)
		}
	}
}

// isConfined says whether a module is the room's own.
func isConfined(module, room string) bool {
	return slices.ContainsFunc(confined, func(c struct{ module, room, reason string }) bool {
		return strings.HasPrefix(module, c.module) && inRoom(room, c.room)
	})
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.Doc, "Package ") && !strings.HasPrefix(p.Doc, "Command ") {
			t.Errorf("%s has no package doc: say what comes in, what goes out and what it does not do", p.ImportPath)
		}
		switch base := filepath.Base(p.ImportPath); base {
		case "util", "utils", "lib", "common", "helpers", "types", "misc":
			t.Errorf("%s is not named after the noun that it owns", p.ImportPath)
		}
	}
}

func TestPureRoomsReadNoClock(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.ContainsFunc(clockless, func(room string) bool { return p.ImportPath == room }) {
			continue
		}
		eachFile(t, p, func(name string, fset *token.FileSet, file *ast.File) {
			ast.Inspect(file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := sel.X.(*ast.Ident)
				if ok && impure(pkg.Name, sel.Sel.Name) {
					t.Errorf("%s: %s.%s in a room without clock or global randomness", fset.Position(n.Pos()), pkg.Name, sel.Sel.Name)
				}
				return true
			})
		})
	}
}

func impure(pkg, name string) bool {
	switch pkg {
	case "time":
		return slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, name)
	case "rand":
		return !slices.Contains([]string{"Rand", "New", "NewPCG", "PCG", "Source", "NewZipf", "Zipf"}, name)
	}
	return false
}

func TestNoInitFunctions(t *testing.T) {
	for _, p := range packages(t) {
		if inRoom(p.ImportPath, "fixtures/functions") {
			continue // heavyinit is about exactly that
		}
		eachFile(t, p, func(name string, fset *token.FileSet, file *ast.File) {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s: an init function: wiring is one visible list", fset.Position(f.Pos()))
				}
			}
		})
	}
}

func TestMainIsOneCall(t *testing.T) {
	text, err := os.ReadFile("../../main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n > 15 {
		t.Errorf("main.go has %d lines, want at most 15", n)
	}
}

// TestTopLevel keeps the house's front as the README describes it.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", "../../../..", "ls-tree", "--name-only", "HEAD").Output()
	if err != nil {
		need.Missing(t, "a git checkout: "+err.Error())
	}
	want := regexp.MustCompile(`^(cmd|scenarios|platform|analysis|reports|fixtures|go\.mod|go\.sum|Makefile|LICENSE|[A-Z]+\.md|action\.yml|\.ci|\.gitignore|\.gitattributes)$`)
	for name := range strings.Lines(string(out)) {
		if name = strings.TrimSpace(name); !want.MatchString(name) {
			t.Errorf("%s does not belong at the top level", name)
		}
	}
}

func eachFile(t *testing.T, p listed, visit func(name string, fset *token.FileSet, file *ast.File)) {
	t.Helper()
	for _, name := range p.GoFiles {
		fset := token.NewFileSet()
		path := filepath.Join(p.Dir, name)
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		visit(path, fset, file)
	}
}
