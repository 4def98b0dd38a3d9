package reference_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestCrashIsNotTheNextRequests has a handler leave a rejected promise behind,
// which ends its process just after the answer, and asks again at once.
func TestCrashIsNotTheNextRequests(t *testing.T) {
	need.Program(t, "node")
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	fn := platform.Function{Name: "rejects", Runtime: platform.NodeJS, Code: t.TempDir(), Handler: "index.handler", Timeout: 30 * time.Second}
	if err := os.WriteFile(filepath.Join(fn.Code, "index.mjs"), []byte(`
export const handler = async (event) => {
  if (event.reject) { Promise.reject(new Error("left behind")); await new Promise((done) => setTimeout(done, 20000)); }
  return "fine";
};`), 0o644); err != nil {
		t.Fatal(err)
	}
	d := deploy(t, client, fn)
	for range 3 {
		_, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"reject":true}`)})
		if err == nil || !strings.Contains(err.Error(), "Runtime.UnhandledPromiseRejection") {
			t.Fatalf("the handler's own request: got %v", err)
		}
		if r, err := d.Invoke(t.Context(), platform.Request{Payload: []byte("{}")}); err != nil || string(r.Body) != `"fine"` {
			t.Errorf("the next one: got %s, %v", r.Body, err)
		}
	}
}
