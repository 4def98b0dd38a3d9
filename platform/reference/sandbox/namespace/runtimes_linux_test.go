package namespace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
)

func TestInterpreters(t *testing.T) {
	for _, tt := range []struct {
		runtime               platform.Runtime
		program, file, source string
	}{
		{platform.NodeJS, "node", "index.mjs", `export const handler = async (e) => ({ greeting: "hello " + e.name + " from " + import.meta.dirname });`},
		{platform.Python, "python3", "index.py", "import ssl, subprocess, os\ndef handler(e, _):\n    subprocess.run(['/bin/true'], check=True)\n    return {'greeting': 'hello ' + e['name'] + ' from ' + os.path.dirname(__file__)}\n"},
	} {
		t.Run(string(tt.runtime), func(t *testing.T) {
			need.Program(t, tt.program)
			clients, err := fixtures.RuntimeClients(readableFolder(t))
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, namespace.Options{RuntimeClients: clients})
			shop := spec(t)
			shop.Function.Runtime, shop.Function.Code, shop.Memory = tt.runtime, readableFolder(t), 1769<<20
			shop.Timeout, shop.InitLimit = 30*time.Second, 30*time.Second
			if err := os.WriteFile(filepath.Join(shop.Function.Code, tt.file), []byte(tt.source), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := s.Prepare(t.Context(), shop); err != nil {
				t.Fatal(err)
			}
			r, err := ready(t, s, shop).Invoke(t.Context(), &sandbox.Invocation{RequestID: "a", Payload: []byte(`{"name":"world"}`), Deadline: time.Now().Add(time.Minute)})
			if got := strings.ReplaceAll(string(r.Body), ": ", ":"); err != nil || got != `{"greeting":"hello world from /var/task"}` {
				t.Errorf("got %s, %v", r.Body, err)
			}
		})
	}
}

func TestPrepareTellsOfUnreadableCode(t *testing.T) {
	need.Root(t)
	s := open(t, namespace.Options{})
	shop := spec(t)
	shop.Function.Code = readableFolder(t)
	if err := os.Chmod(shop.Function.Code, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context(), shop); err == nil || !strings.Contains(err.Error(), "chmod -R o+rX") {
		t.Errorf("got %v, want what to do", err)
	}
}
