package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// figures holds numbers of the JSON document on the last command's stdout
// against bounds, or against those of a document in a file:
//
//	figures p_cold<=0.01 by_function.0.cold=3 requests=first cold=first:points.2.cold
func figures(ts *testscript.TestScript, _ bool, args []string) {
	doc := document(ts, []byte(ts.ReadFile("stdout")))
	for _, claim := range args {
		at := strings.IndexAny(claim, "<>=")
		if at < 0 {
			ts.Fatalf("no claim: %q", claim)
		}
		op := claim[at : at+1]
		if strings.HasPrefix(claim[at+1:], "=") {
			op += "="
		}
		path, bound := claim[:at], claim[at+len(op):]
		want, err := strconv.ParseFloat(bound, 64)
		if err != nil {
			file, other, elsewhere := strings.Cut(bound, ":")
			if !elsewhere {
				other = path
			}
			want = numberAt(ts, documentIn(ts, file), other)
		}
		got := numberAt(ts, doc, path)
		if !map[string]bool{"=": got == want, ">=": got >= want, "<=": got <= want}[op] {
			ts.Fatalf("%s is %v, want %s%v", path, got, op, want)
		}
	}
}

func document(ts *testscript.TestScript, text []byte) any {
	var doc any
	ts.Check(json.Unmarshal(text, &doc))
	return doc
}

// documentIn is the JSON document in a file.
func documentIn(ts *testscript.TestScript, name string) any {
	text, err := os.ReadFile(filepath.Join(ts.Getenv("WORK"), name))
	ts.Check(err)
	return document(ts, text)
}

// agree wants the cold starts of two simulations of the same traffic, the first
// by levels, within the stated error of the model and four standard errors.
func agree(ts *testscript.TestScript, _ bool, args []string) {
	levels, events := documentIn(ts, args[0]), documentIn(ts, args[1])
	estimate, cold := numberAt(ts, levels, "cold"), numberAt(ts, events, "cold")
	chance := 4 * numberAt(ts, events, "p_cold_stderr") * numberAt(ts, events, "served")
	if off := math.Abs(estimate - cold); off > estimate*numberAt(ts, levels, "cold_model_error")+chance {
		ts.Fatalf("levels has %v cold starts, events %v: off by more than the model's error and %v by chance", estimate, cold, chance)
	}
}

// billed wants a bill's document to have the total that a simulation's has,
// but for what rounds: the durations' histogram is the same.
func billed(ts *testscript.TestScript, _ bool, args []string) {
	doc, ok := documentIn(ts, args[0]).(map[string]any)
	text, isText := doc["total_usd"].(string)
	if !ok || !isText {
		ts.Fatalf("%s is no bill: %v", args[0], doc)
	}
	total, err := strconv.ParseFloat(text, 64)
	ts.Check(err)
	if want := numberAt(ts, documentIn(ts, args[1]), "bill.total_nano_usd") / 1e9; math.Abs(total-want) > 1e-6*want {
		ts.Fatalf("the bill is %v, the simulation's %v", total, want)
	}
}

// endedEarly interrupts a command as soon as it tells how far it is, and wants
// exit code 1; what it prints goes to the file out.
func endedEarly(ts *testscript.TestScript, _ bool, args []string) {
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.Getenv("WORK")
	out, err := os.Create(filepath.Join(cmd.Dir, "out"))
	ts.Check(err)
	defer out.Close()
	cmd.Stdout = out
	talk, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewScanner(talk)
	if !lines.Scan() || !strings.Contains(lines.Text(), "simulated, ") {
		_ = cmd.Process.Kill()
		ts.Fatalf("it does not tell how far it is: %q", lines.Text())
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	for lines.Scan() { // to its end, so that it never waits for a reader
	}
	if exit, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || exit.ExitCode() != 1 {
		ts.Fatalf("interrupted it ends with %v, want exit code 1", exit)
	}
}

// numberAt is the number at a path of keys and positions.
func numberAt(ts *testscript.TestScript, doc any, path string) float64 {
	for key := range strings.SplitSeq(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				ts.Fatalf("no %s: %q in a list of %d", path, key, len(v))
			}
			doc = v[i]
		}
	}
	switch v := doc.(type) {
	case float64:
		return v
	case bool:
		return truth(v)
	}
	ts.Fatalf("no number at %s: %v", path, doc)
	return 0
}
