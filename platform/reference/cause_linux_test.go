package reference_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestCausesReachTheCaller: an error says what the function's log would.
func TestCausesReachTheCaller(t *testing.T) {
	client := open(t, reference.ClientOptions{})
	for _, tt := range []struct {
		name, script string
		mode         os.FileMode
		want         string
	}{
		{"talks", "#!/bin/sh\necho no module named shop >&2\nexit 7\n", 0o755, "exit status 7; its log ends: no module named shop"},
		{"crashes", "#!/bin/sh\nprintf 'panic: no stock\\n\\ngoroutine 1 [running]:\\nmain.main()\\n\\t/build/main.go:12 +0x25\\n' >&2\nexit 2\n", 0o755,
			"exit status 2; its log ends: panic: no stock | main.main main.go:12"},
		{"locked", "#!/bin/sh\n", 0o644, "permission denied"},
	} {
		fn := platform.Function{Name: tt.name, Runtime: platform.Go, Code: t.TempDir()}
		if err := os.WriteFile(filepath.Join(fn.Code, "bootstrap"), []byte(tt.script), tt.mode); err != nil {
			t.Fatal(err)
		}
		_, err := deploy(t, client, fn).Invoke(t.Context(), platform.Request{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want it to say %q", tt.name, err, tt.want)
		}
	}
}
