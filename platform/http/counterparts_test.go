package http_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/peer"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// TestCounterparts holds the kit against servers that others have written, from
// npm by name, with the subject and its beacon behind them.
func TestCounterparts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		command func(t *testing.T, modules string) []string
	}{
		{"@google-cloud/functions-framework", func(t *testing.T, _ string) []string {
			return []string{need.Program(t, "node"), "framework.mjs"}
		}},
		{"deno", func(t *testing.T, modules string) []string {
			return []string{only(t, modules, "@deno/*/deno"), "run", "--no-config", "--no-remote", "--allow-net=127.0.0.1", "--allow-env", "--allow-sys", "server.mjs"}
		}},
		{"bun", func(t *testing.T, modules string) []string {
			return []string{only(t, modules, "bun/bin/bun.exe"), "run", "server.mjs"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			modules := need.NodePackage(t, tt.name)
			address := peer.Start(t, peer.Command{
				Dir: counterpart(t, modules), Args: tt.command(t, modules), Env: []string{"DENO_DIR=" + t.TempDir()},
				Ready: regexp.MustCompile(`^listening on (127\.0\.0\.1:[0-9]+)$`),
			})
			platformtest.Run(t, platformtest.Kit{
				Function: platform.Function{},
				Open: func(t testing.TB) platform.Platform {
					p, err := httpplatform.New(httpplatform.Options{URL: "http://" + address, Timeout: 5 * time.Second})
					if err != nil {
						t.Fatal(err)
					}
					return p
				},
			})
		})
	}
}

// counterpart is a folder with the subject and what serves it.
func counterpart(t *testing.T, modules string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := subject.Build(dir, platform.NodeJS, false); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "counterparts"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// only is the one file of a pattern: packages have a folder for each system.
func only(t *testing.T, modules, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(modules, filepath.FromSlash(pattern)))
	if err != nil || len(found) != 1 {
		need.Missing(t, pattern+" in "+modules)
	}
	return found[0]
}
