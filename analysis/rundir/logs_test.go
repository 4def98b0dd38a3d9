package rundir_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/rundir"
)

func TestLogsAreAFileAFunction(t *testing.T) {
	w, err := rundir.Create(filepath.Join(t.TempDir(), "run"), rundir.Manifest{Scenario: "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Logs(map[string]string{"shop": "shop-1: open\n"}); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(w.Dir(), "logs", "shop.log")); err != nil || string(text) != "shop-1: open\n" {
		t.Errorf("logs/shop.log is %q, %v", text, err)
	}
	if err := w.Logs(map[string]string{"../shop": "gotcha"}); err == nil {
		t.Error("a name that leads out of the folder is taken")
	}
	if err := w.Finish(func(*rundir.Manifest) {}); err != nil {
		t.Error(err)
	}
}
