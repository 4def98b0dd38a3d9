package scenarios_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/scenarios"
)

// TestBadExpressionIsToldByItsPlace has a schedule that is due never.
func TestBadExpressionIsToldByItsPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "serve.yaml")
	text := "platform: {name: reference}\nschedules:\n  - name: nightly\n    function: hello\n    expression: never\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := scenarios.LoadServer(file, func(expression string) error {
		return errors.New("no time is " + expression)
	})
	if want := file + ":5:17: no time is never"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	config, err := scenarios.LoadServer(file, func(string) error { return nil })
	if err != nil || len(config.Schedules) != 1 || config.Schedules[0].Expression != "never" {
		t.Errorf("got %+v, %v", config, err)
	}
}
