package cli

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestHelpNamesWhatFlagsTake: no help text shows the name of a Go type.
func TestHelpNamesWhatFlagsTake(t *testing.T) {
	var g grammar
	k, err := kong.New(&g, kong.Name("coldcurve"), kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	typed := regexp.MustCompile(`=\S*(-FLAG|-64\b|STRING)|=(INT|UINT|FLOAT|BOOL|MAP)\b|=""`)
	commands, shown := 0, 0
	for _, leaf := range k.Model.Leaves(false) {
		var out bytes.Buffer
		w := &World{Stdout: &out, Stderr: &out, Args: append(strings.Fields(leaf.Path()), "--help"), Env: func(string) string { return "" }, Signals: func() (context.Context, context.CancelFunc) { return t.Context(), func() {} }}
		if code := Main(w); code != exitGood {
			t.Fatalf("%s --help: exit code %d\n%s", leaf.Path(), code, &out)
		}
		commands++
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, "=") {
				shown++
			}
			if typed.MatchString(line) {
				t.Errorf("%s --help: %s", leaf.Path(), strings.TrimSpace(line))
			}
		}
	}
	if commands < 20 || shown < 100 {
		t.Errorf("%d commands with %d flags that take something: the help texts were not read", commands, shown)
	}
}
