package workers_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/workers"
)

// workerd is npm's, where .ci/setup puts it.
func workerd(t *testing.T) string {
	t.Helper()
	return filepath.Join(need.NodePackage(t, "workerd"), "workerd", "bin", "workerd")
}

// TestConformance holds it to what every platform has to do, with workerd
// itself.
func TestConformance(t *testing.T) {
	program := workerd(t)
	function, err := subject.Build(t.TempDir(), platform.NodeJS, false)
	if err != nil {
		t.Fatal(err)
	}
	platformtest.Run(t, platformtest.Kit{
		Function: function,
		Open:     func(t testing.TB) platform.Platform { return open(t, workers.Options{Program: program}) },
		Left:     func(t testing.TB) []string { return children(t, program) },
		Reused:   []sample.Start{sample.Warm, sample.Queued},
	})
}

// children are this process's own that execute a program.
func children(t testing.TB, program string) (left []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		if path, err := os.Readlink(link); err == nil && path == program && strings.Contains(string(status), "\nPPid:\t"+strconv.Itoa(os.Getpid())+"\n") {
			left = append(left, filepath.Dir(link))
		}
	}
	return left
}

// lay lays out a function.
func lay(t *testing.T, handler string, files map[string]string) platform.Function {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return platform.Function{Name: "f", Runtime: platform.NodeJS, Handler: handler, Code: dir, Env: map[string]string{"GREETING": "hello"}}
}

// TestKindsOfFunctions has workerd run what users have.
func TestKindsOfFunctions(t *testing.T) {
	p := open(t, workers.Options{Program: workerd(t)})
	for _, tt := range []struct {
		name, handler, payload string
		files                  map[string]string
		want                   string
		kind                   sample.ErrorKind
		says                   string
	}{
		{
			name: "a handler as Lambda has them", handler: "index.handler", payload: `{"who":"you"}`,
			files: map[string]string{"index.mjs": `export const handler = async (event, context) => process.env.GREETING + " " + event.who + " of " + context.functionName;`},
			want:  `"hello you of f"`,
		},
		{
			name: "one without a payload that returns nothing", handler: "index.handler",
			files: map[string]string{"index.mjs": `export const handler = (event) => { if (Object.keys(event).length > 0) throw new Error("an event"); };`},
			want:  `null`,
		},
		{
			name: "a module worker", handler: "worker.default", payload: `hi`,
			files: map[string]string{"worker.js": `export default { async fetch(request, env) { return new Response(env.GREETING + " " + await request.text()); } };`},
			want:  `hello hi`,
		},
		{
			name: "CommonJS, with modules of each kind", handler: "lib/index.handler",
			files: map[string]string{
				"lib/index.cjs": `const { text } = require("./more.cjs"); exports.handler = async () => text;`,
				"lib/more.cjs":  `exports.text = "from another file";`,
				"unused.bin":    "\x00\xff", "data.json": `{"a":1}`, "note.txt": "text",
			},
			want: `"from another file"`,
		},
		{
			name: "a file beside it", handler: "index.handler",
			files: map[string]string{"index.mjs": `import data from "./data.json"; import note from "./note.txt"; export const handler = async () => data.a + note;`, "data.json": `{"a":1}`, "note.txt": "text"},
			want:  `"1text"`,
		},
		{
			name: "a module worker that is in trouble", handler: "worker.default",
			files: map[string]string{"worker.js": `export default { fetch: () => new Response("no", { status: 503 }) };`},
			kind:  sample.Handler, says: "invoke f: status 503 Service Unavailable",
		},
		{
			name: "an export that is not there", handler: "index.handle",
			files: map[string]string{"index.mjs": `export const handler = async () => 1;`},
			kind:  sample.Init, says: "handle is neither a function nor an object with fetch",
		},
		{
			name: "a callback", handler: "index.handler",
			files: map[string]string{"index.mjs": `export const handler = (event, context, callback) => callback(null, 1);`},
			kind:  sample.Init, says: "handler takes a callback: make it async",
		},
		{
			name: "an answer that never comes", handler: "index.handler",
			files: map[string]string{"index.mjs": `export const handler = () => new Promise(() => {});`},
			kind:  sample.Handler, says: "hung",
		},
		{
			name: "no JSON", handler: "index.handler", payload: "{",
			files: map[string]string{"index.mjs": `export const handler = async () => 1;`},
			kind:  sample.Refused, says: "the payload is not JSON",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := p.Deploy(t.Context(), lay(t, tt.handler, tt.files))
			if err != nil {
				t.Fatal(err)
			}
			out, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(tt.payload), WantBody: true})
			if kind := platform.KindOf(err); kind != tt.kind {
				t.Errorf("%v (%s), want kind %s", err, kind, tt.kind)
			}
			if err == nil && string(out.Body) != tt.want || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("answered %q, %v, want %q, %q", out.Body, err, tt.want, tt.says)
			}
			if err := d.Remove(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRefusedFirst wants a request that no handler has seen to count, so that
// the one after it is not taken for a first.
func TestRefusedFirst(t *testing.T) {
	p := open(t, workers.Options{Program: workerd(t)})
	d, err := p.Deploy(t.Context(), lay(t, "index.handler", map[string]string{"index.mjs": "export const handler = async () => 1;"}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []sample.Start{sample.Cold, sample.Warm} {
		out, err := d.Invoke(t.Context(), platform.Request{Payload: []byte([]string{"{", "{}"}[i])})
		if out.Evidence.Start != want || out.Evidence.Grade != sample.Observed {
			t.Errorf("request %d: %+v, %v, want %s", i+1, out.Evidence, err, want)
		}
	}
}
