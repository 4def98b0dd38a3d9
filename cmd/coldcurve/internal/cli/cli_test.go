package cli

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// TestMain lets scripts run the real main as `coldcurve`, the reference
// runtime's child process included.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"coldcurve": func() { os.Exit(Main(System())) },
	})
}

// TestScripts are the commands as a person types them.
func TestScripts(t *testing.T) {
	need.Linux(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUpScript,
		Cmds:                scriptCommands(),
		Condition:           can,
	})
}

// setUpScript shares the cache of built functions between scripts; a
// testscript has no home of its own otherwise.
func setUpScript(env *testscript.Env) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	env.Values[strangerKey{}] = &stranger{methods: make(map[string]int)}
	env.Setenv("XDG_CACHE_HOME", cache)
	env.Setenv("GOCACHE", filepath.Join(cache, "go-build"))
	return nil
}

// TestReadme runs what the README shows, in its order.
func TestReadme(t *testing.T) {
	need.Linux(t)
	text, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script := readmeScript(string(text))
	if n := strings.Count(script, "\nexec coldcurve "); n < 5 {
		t.Fatalf("found %d commands in the README, want all of them:\n%s", n, script)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "readme.txtar"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: dir, Setup: setUpScript, Cmds: scriptCommands()})
}

// readmeScript turns the README's sh blocks into a testscript and its yaml
// blocks into the files that they name, shop.yaml where they name none. A comment "exit code 4" says that the command ends so. The two set-up commands (go run, make) are left out:
// the build under test is this one, and `make test` is what runs this.
func readmeScript(readme string) string {
	var script, files bytes.Buffer
	script.WriteString("# the README's commands\n")
	language := ""
	for line := range strings.Lines(readme) {
		switch fence, isFence := strings.CutPrefix(line, "```"); {
		case isFence && language == "":
			name := ""
			language, name, _ = strings.Cut(strings.TrimSpace(fence), " ")
			if language == "yaml" {
				files.WriteString("-- " + cmp.Or(name, "shop.yaml") + " --\n")
			}
		case isFence:
			language = ""
		case language == "yaml":
			files.WriteString(line)
		case language == "sh" && strings.HasPrefix(line, "coldcurve "):
			command, comment, _ := strings.Cut(line, " #")
			word := "exec "
			if _, code, ok := strings.Cut(comment, "exit code "); ok {
				word = "exitcode " + code[:1] + " "
			}
			if strings.Contains(command, " runs/*") {
				command = "sh -c '" + strings.TrimSpace(command) + "'" // which knows what * is
			}
			script.WriteString(word + strings.TrimSpace(command) + "\n")
		}
	}
	return script.String() + files.String()
}
