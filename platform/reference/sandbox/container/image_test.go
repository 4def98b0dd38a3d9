package container_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/moby/moby/client"
)

// bundle is what an image is made of in a test, since none can be pulled.
type bundle struct {
	t    testing.TB
	tar  *tar.Writer
	have map[string]bool
}

// imported makes an image of files of this machine; it goes with the test.
func imported(t testing.TB, reference string, changes []string, fill func(*bundle)) {
	t.Helper()
	var content bytes.Buffer
	b := &bundle{t: t, tar: tar.NewWriter(&content), have: map[string]bool{}}
	fill(b)
	if err := b.tar.Close(); err != nil {
		t.Fatal(err)
	}
	e, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	r, err := e.ImageImport(t.Context(), client.ImageImportSource{Source: &content, SourceName: "-"}, reference, client.ImageImportOptions{Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.ImageRemove(context.Background(), reference, client.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
}

// file adds a file, links resolved, under a name.
func (b *bundle) file(path, as string) {
	b.t.Helper()
	if b.have[as] {
		return
	}
	b.have[as] = true
	content, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.tar.WriteHeader(&tar.Header{Name: strings.TrimPrefix(as, "/"), Mode: 0o755, Size: int64(len(content))}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.tar.Write(content); err != nil {
		b.t.Fatal(err)
	}
}

// program adds an executable or a library with the libraries that it needs.
func (b *bundle) program(path, as string) {
	b.t.Helper()
	b.file(path, as)
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		b.t.Fatalf("ldd %s: %v", path, err)
	}
	for word := range strings.FieldsSeq(string(out)) {
		if filepath.IsAbs(word) && !strings.HasSuffix(word, ":") {
			b.file(word, word)
		}
	}
}

func TestImage(t *testing.T) {
	s := open(t, container.Options{NoPull: true})
	look := looker(t)
	binary := filepath.Join(look.Function.Code, "bootstrap")
	imported(t, "coldcurve-test/looker:1", []string{`ENTRYPOINT ["/usr/bin/function"]`, "ENV GREETING=hello", "WORKDIR /var/task"}, func(b *bundle) {
		b.file(binary, "/usr/bin/function")
	})
	imported(t, "coldcurve-test/idle:1", nil, func(b *bundle) { b.file(binary, "/usr/bin/function") })
	imported(t, "coldcurve-test/wrong:1", []string{`ENTRYPOINT ["/usr/bin/functoin"]`}, func(b *bundle) { b.file(binary, "/usr/bin/function") })
	of := func(reference string) *sandbox.Spec {
		image := *look
		image.Function.Runtime, image.Function.Code, image.Function.Image, image.Function.Handler = platform.Image, "", reference, ""
		return &image
	}
	t.Run("its own entry point and environment", func(t *testing.T) {
		function := of("coldcurve-test/looker:1")
		function.Function.Handler = "app.handler"
		function.Function.Env = map[string]string{"COLOUR": "blue"}
		if err := s.Prepare(t.Context(), function); err != nil {
			t.Fatal(err)
		}
		in := ready(t, s, function)
		env := "\x00" + ask(t, in, `{"read": "/proc/self/environ"}`)
		for _, want := range []string{"GREETING=hello", "COLOUR=blue", "AWS_LAMBDA_FUNCTION_NAME=looker", "_HANDLER=app.handler"} {
			if !strings.Contains(env, "\x00"+want+"\x00") {
				t.Errorf("environment lacks %s: %q", want, env)
			}
		}
		if got := ask(t, in, `{"read": "/proc/self/cmdline"}`); got != "/usr/bin/function\x00app.handler\x00" {
			t.Errorf("runs %q, want the handler as the command", got)
		}
	})
	t.Run("no entry point", func(t *testing.T) {
		_, err := s.Start(t.Context(), "i-1", of("coldcurve-test/idle:1"), sandbox.OnDemand)
		if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
			t.Errorf("got %q", f.Type)
		}
	})
	t.Run("wrong entry point", func(t *testing.T) {
		_, err := start(t, s, of("coldcurve-test/wrong:1")).AwaitReady(t.Context())
		if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
			t.Errorf("got %q", f.Type)
		}
	})
	t.Run("not there", func(t *testing.T) {
		if err := s.Prepare(t.Context(), of("coldcurve-test/nothing:1")); err == nil || !strings.Contains(err.Error(), "has no image coldcurve-test/nothing:1") {
			t.Errorf("got %v", err)
		}
	})
}

// TestInterpreters runs the fixtures in images made of this machine's own
// interpreters.
func TestInterpreters(t *testing.T) {
	clients, err := fixtures.RuntimeClients(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, container.Options{NoPull: true, RuntimeClients: clients, Bases: map[platform.Runtime]string{
		platform.NodeJS: "coldcurve-test/node:1", platform.Python: "coldcurve-test/python:1"}})
	for _, tt := range []struct {
		runtime platform.Runtime
		image   string
		fill    func(*bundle)
	}{
		{platform.NodeJS, "coldcurve-test/node:1", node},
		{platform.Python, "coldcurve-test/python:1", python},
	} {
		t.Run(string(tt.runtime), func(t *testing.T) {
			imported(t, tt.image, nil, tt.fill)
			built, err := fixtures.Build(t.Context(), fixtures.Spec{Name: "hello", Runtime: tt.runtime, Cache: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			function := spec("")
			function.Function.Runtime, function.Function.Code, function.Function.Handler = tt.runtime, built.Code, built.Handler
			in := start(t, s, function)
			marks, err := in.AwaitReady(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !(marks.Provisioned <= marks.Booted && marks.Booted < marks.Ready) {
				t.Errorf("marks out of order: %+v", marks)
			}
			r, err := in.Invoke(t.Context(), invocation(`{"name": "you"}`, 10*time.Second))
			if err != nil || r.FunctionError != "" {
				t.Errorf("got %s, %v", r.Body, err)
			}
		})
	}
}

func node(b *bundle) {
	out, err := exec.Command(need.Program(b.t, "node"), "-p", "process.execPath").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	b.program(strings.TrimSpace(string(out)), "/usr/bin/node")
}

func python(b *bundle) {
	out, err := exec.Command(need.Program(b.t, "python3"), "-c", "import os, sys; print(os.path.realpath(sys.executable)); print(os.path.dirname(os.__file__)); print(sys.base_prefix)").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	told := strings.Fields(string(out))
	executable, library, prefix := told[0], told[1], told[2]
	b.program(executable, prefix+"/bin/python3")
	b.file(executable, "/usr/bin/python3")
	err = filepath.WalkDir(library, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "test" || d.Name() == "site-packages" || d.Name() == "dist-packages" || strings.HasPrefix(d.Name(), "config-")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".so"):
			b.program(path, path)
		case d.Type().IsRegular():
			b.file(path, path)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
