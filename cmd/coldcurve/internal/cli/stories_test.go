package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	_ "github.com/aws/aws-lambda-go/lambda" // testdata/stories/functions/go needs it, and go mod tidy does not look there
	"github.com/coldcurve/coldcurve/platform/openwhisk/openwhisktest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// TestStories are what a team does with its own tools, which are the real ones,
// against `coldcurve serve`.
func TestStories(t *testing.T) {
	need.Linux(t)
	for _, story := range []struct {
		script   string
		programs []string
		packages []string // npm's
	}{
		{"around", []string{"aws", "zip", "python3", "curl"}, nil},
		{"keys", []string{"aws"}, nil},
		{"lambda", nil, nil},
		{"matrix", nil, nil},
		{"keepalive", nil, nil},
		{"kept", []string{"aws", "zip", "python3"}, nil},
		{"existing", []string{"aws", "zip", "python3"}, nil},
		{"javascript", []string{"node", "zip"}, []string{"@aws-sdk/client-lambda"}},
		{"workers", []string{"node"}, []string{"workerd"}},
		{"nodeclient", []string{"node", "curl"}, []string{"aws-lambda-ric"}},
	} {
		t.Run(story.script, func(t *testing.T) {
			t.Parallel()
			needPrograms(t, story.programs...)
			modules := ""
			for _, name := range story.packages {
				modules = need.NodePackage(t, name)
			}
			tell(t, story.script, func(env *testscript.Env) error {
				env.Setenv("NODE_MODULES", modules)
				return copyFunction(env, "python")
			})
		})
	}
}

// TestOpenWhiskStory is platform openwhisk as its user sees it.
func TestOpenWhiskStory(t *testing.T) {
	need.Linux(t)
	needPrograms(t, "node", "python3")
	settings := map[string]string{
		"WSK_APIHOST": (&openwhisktest.Server{}).Start(t), "WSK_AUTH": openwhisktest.Key, "WSK_CONFIG_FILE": filepath.Join(t.TempDir(), "none"),
	}
	for name, value := range settings {
		t.Setenv(name, value) // for what is interrupted, too
	}
	tell(t, "openwhisk", func(env *testscript.Env) error {
		for name, value := range settings {
			env.Setenv(name, value)
		}
		return nil
	})
}

// TestDeployStory is the life of a function, the same for whatever it is
// written in.
func TestDeployStory(t *testing.T) {
	need.Linux(t)
	for _, lang := range []struct{ name, program, runtime, handler string }{
		{"go", "go", "provided.al2023", "bootstrap"},
		{"python", "python3", "python3.12", "index.handler"},
		{"node", "node", "nodejs22.x", "index.handler"},
	} {
		t.Run(lang.name, func(t *testing.T) {
			t.Parallel()
			needPrograms(t, "aws", "zip", "curl", lang.program)
			tell(t, "deploy", func(env *testscript.Env) error {
				env.Setenv("RUNTIME", lang.runtime)
				env.Setenv("HANDLER", lang.handler)
				return copyFunction(env, lang.name)
			})
		})
	}
}

// TestReadmeTools runs what the README shows of a person's own tools.
func TestReadmeTools(t *testing.T) {
	need.Linux(t)
	needPrograms(t, "aws", "zip", "python3", "curl", "bash")
	text, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	address := ownAddress(t) // the README's need not be free
	script := strings.ReplaceAll(fenced(string(text), "bash"), "127.0.0.1:9001", address)
	script = strings.Replace(script, "coldcurve serve &\n", "coldcurve serve --addr "+address+" &\n"+
		"timeout 300 bash -c 'until curl -s -o answer.json "+address+"; do sleep .1; done'\n", 1) // a person types slower
	file := filepath.Join(t.TempDir(), "tools.txtar")
	archive := "exec bash -eu tools.sh\n" +
		"stdout '^serving world$'\n" +
		"stdout '^REPORT RequestId: .*Init Duration: '\n" +
		"stdout '\"2\": 0.1'\n" +
		"stdout -count=1 '^X-Coldcurve-Start: cold'\n" +
		"stdout '^{\"hello\": \"world\"}$'\n" +
		"-- tools.sh --\ntrap 'kill $(jobs -p)' EXIT\n" + script +
		"-- index.py --\n" + fenced(string(text), "python")
	if err := os.WriteFile(file, []byte(archive), 0o644); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Files: []string{file}, Setup: setUpScript})
}

// ownAddress is one of the loopback addresses, of which Linux has 16 million,
// with a free port: on it nobody else listens, nor is the port given to an
// outgoing connection before it is used.
func ownAddress(t *testing.T) string {
	t.Helper()
	id := os.Getpid()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 64+id>>16&63, id>>8&255, id&255))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// fenced is what a document's blocks of a language have in them.
func fenced(markdown, language string) string {
	var text strings.Builder
	in := false
	for line := range strings.Lines(markdown) {
		switch {
		case strings.HasPrefix(line, "```"):
			in = !in && strings.TrimSpace(line) == "```"+language
		case in:
			text.WriteString(line)
		}
	}
	return text.String()
}

func needPrograms(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		need.Program(t, name)
	}
}

// tell runs the script of a story.
func tell(t *testing.T, script string, setUp func(*testscript.Env) error) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Files:               []string{filepath.Join("testdata", "stories", script+".txtar")},
		RequireExplicitExec: true,
		Cmds:                storyCommands(),
		Setup: func(env *testscript.Env) error {
			// What AWS's clients want to be told, and nothing of the user's own.
			env.Setenv("AWS_ACCESS_KEY_ID", "nobody")
			env.Setenv("AWS_SECRET_ACCESS_KEY", "nobody-asks")
			env.Setenv("AWS_REGION", "us-east-1")
			env.Setenv("AWS_DEFAULT_REGION", "us-east-1")
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("AWS_MAX_ATTEMPTS", "1") // a refusal is shown, not repeated
			env.Setenv("AWS_PAGER", "")
			return errors.Join(setUpScript(env), setUp(env))
		},
	})
}

// copyFunction puts a function's files, built if they need it, into the
// script's folder.
func copyFunction(env *testscript.Env, lang string) error {
	from, to := filepath.Join("testdata", "stories", "functions", lang), filepath.Join(env.WorkDir, "function")
	if lang != "go" {
		return os.CopyFS(to, os.DirFS(from))
	}
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(to, "bootstrap"), "./"+from)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// storyCommands are the words of stories beyond other scripts'.
func storyCommands() map[string]scriptCommand {
	var served *os.Process
	words := scriptCommands()
	// serve FLAGS starts coldcurve serve; $LAMBDA is its address from then on.
	words["serve"] = func(ts *testscript.TestScript, _ bool, args []string) {
		served = serve(ts, args)
	}
	words["kill9"] = func(ts *testscript.TestScript, _ bool, _ []string) {
		ts.Check(served.Kill())
		_, _ = served.Wait()
	}
	words["lambda"] = lambda
	words["refused"] = refused
	words["says"] = says
	words["decode"] = decode
	words["binomial"] = binomial
	return words
}

// serve waits for the address that a person is told.
func serve(ts *testscript.TestScript, args []string) *os.Process {
	path, err := exec.LookPath("coldcurve")
	ts.Check(err)
	cmd := exec.Command(path, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+ts.Getenv("XDG_CACHE_HOME"))
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "serving Lambda's API at "); ok {
			ts.Setenv("LAMBDA", address)
			go func() { // until it ends, so that it never waits for its reader
				for lines.Scan() {
					fmt.Fprintln(os.Stderr, lines.Text())
				}
			}()
			return cmd.Process
		}
	}
	ts.Fatalf("coldcurve serve %s told no address: %v", strings.Join(args, " "), lines.Err())
	return nil
}

func awsArgs(ts *testscript.TestScript, args []string) []string {
	return append([]string{"lambda", "--endpoint-url", ts.Getenv("LAMBDA"), "--output", "json"}, args...)
}

// lambda is `aws lambda` with the address of what is served.
func lambda(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec("aws", awsArgs(ts, args)...)
	if neg != (err != nil) {
		ts.Fatalf("aws lambda %s: %v", strings.Join(args, " "), err)
	}
}

// refused is `aws lambda` that has to end as it does when AWS refuses:
//
//	refused ResourceNotFoundException get-function --function-name none
func refused(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("aws", awsArgs(ts, args[1:])...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || !slices.Contains([]int{254, 255}, exit.ExitCode()) { // of version 2 and version 1
		ts.Fatalf("aws lambda %s: %v, want an exit code of 254 (or 255, of version 1)", strings.Join(args[1:], " "), err)
	}
	if want := "An error occurred (" + args[0] + ") when calling"; !strings.Contains(ts.ReadFile("stderr"), want) {
		ts.Fatalf("stderr has no %q", want)
	}
}

// says checks members of the JSON document on stdout or in a file; - is one that
// is absent:
//
//	says stdout State=Pending Environment.Variables.GREETING=hello StateReason=-
func says(ts *testscript.TestScript, _ bool, args []string) {
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	for _, claim := range args[1:] {
		path, want, _ := strings.Cut(claim, "=")
		if got := member(doc, strings.Split(path, ".")); got != want {
			ts.Fatalf("%s is %q, want %q", path, got, want)
		}
	}
}

// member is a member's text, "-" if there is none.
func member(doc any, path []string) string {
	if len(path) > 0 {
		switch d := doc.(type) {
		case map[string]any:
			return member(d[path[0]], path[1:])
		case []any:
			if i, err := strconv.Atoi(path[0]); err == nil && i < len(d) {
				return member(d[i], path[1:])
			}
		}
		return "-"
	}
	switch d := doc.(type) {
	case nil:
		return "-"
	case string:
		return d
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err) // it was JSON before
	}
	return string(text)
}

// binomial wants stdout to have n matches of the first pattern, and so many of
// the second as n draws of probability p can have, within five standard
// deviations (one in 1.7 million draws is beyond):
//
//	binomial 300 .1 '"says"' '"says": "two"'
func binomial(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseFloat(args[0], 64)
	ts.Check(err)
	p, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	count := func(pattern string) float64 {
		return float64(len(regexp.MustCompile(pattern).FindAllString(ts.ReadFile("stdout"), -1)))
	}
	all, some := count(args[2]), count(args[3])
	if width := 5 * math.Sqrt(n*p*(1-p)); all != n || math.Abs(some-n*p) > width {
		ts.Fatalf("%g of %g, want %g of %g within %.1f", some, all, n*p, n, width)
	}
}

// decode puts the base64 of a member of the document on stdout there in its place.
func decode(ts *testscript.TestScript, _ bool, args []string) {
	var doc map[string][]byte
	var all map[string]json.RawMessage
	text := []byte(ts.ReadFile("stdout"))
	ts.Check(json.Unmarshal(text, &all))
	ts.Check(json.Unmarshal([]byte(`{"it":`+string(all[args[0]])+`}`), &doc))
	_, err := ts.Stdout().Write(doc["it"])
	ts.Check(err)
}
