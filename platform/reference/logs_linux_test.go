package reference_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference"
)

func TestLogsAreKeptByFunction(t *testing.T) {
	client := open(t, reference.ClientOptions{})
	fn := platform.Function{Name: "talks", Runtime: platform.Go, Code: t.TempDir()}
	if err := os.WriteFile(filepath.Join(fn.Code, "bootstrap"), []byte("#!/bin/sh\necho no module named shop\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := deploy(t, client, fn).Invoke(t.Context(), platform.Request{}); err == nil {
		t.Error("a function that ends in init has answered")
	}
	logs, err := client.Logs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"talks": "talks-1: no module named shop\ntalks-1: no module named shop\n"} // init was tried twice
	if diff := cmp.Diff(want, logs); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}
