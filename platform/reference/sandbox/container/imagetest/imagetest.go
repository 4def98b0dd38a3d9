// Package imagetest owns what tests have on a Docker engine: images that are made
// of this machine's own files, as none may be pulled, and a look at what is left.
//
// In: a name, and which programs are to be in an image. Out: the image on the
// engine that DOCKER_HOST names, until the test ends; what the engine has of a
// test or a process. It looks for no engine and skips nothing for want of one.
package imagetest

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

	"github.com/moby/moby/client"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// Bundle is what an image is made of in a test, since none can be pulled.
type Bundle struct {
	t    testing.TB
	tar  *tar.Writer
	have map[string]bool
}

// Import makes an image of files of this machine; it goes with the test.
func Import(t testing.TB, reference string, changes []string, fill func(*Bundle)) {
	t.Helper()
	var content bytes.Buffer
	b := &Bundle{t: t, tar: tar.NewWriter(&content), have: map[string]bool{}}
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

// File adds a file, links resolved, under a name.
func (b *Bundle) File(path, as string) {
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

// Program adds an executable or a library with the libraries that it needs.
func (b *Bundle) Program(path, as string) {
	b.t.Helper()
	b.File(path, as)
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		b.t.Fatalf("ldd %s: %v", path, err)
	}
	for word := range strings.FieldsSeq(string(out)) {
		if filepath.IsAbs(word) && !strings.HasSuffix(word, ":") {
			b.File(word, word)
		}
	}
}

// Interpreter makes an image with this machine's own interpreter of a language.
// Its name must be no other package's: their tests take theirs away.
func Interpreter(t testing.TB, reference string, language platform.Runtime) {
	t.Helper()
	fill, known := map[platform.Runtime]func(*Bundle){platform.NodeJS: Node, platform.Python: Python}[language]
	if !known {
		t.Fatalf("%s has no interpreter", language)
	}
	Import(t, reference, nil, fill)
}

// Bootstrap makes an image of a function in Go: its program, and nothing else.
func Bootstrap(t testing.TB, reference, code string) {
	t.Helper()
	Import(t, reference, []string{`ENTRYPOINT ["/bootstrap"]`}, func(b *Bundle) { b.File(filepath.Join(code, "bootstrap"), "/bootstrap") })
}

// Node adds this machine's Node.js, as /usr/bin/node.
func Node(b *Bundle) {
	out, err := exec.Command(need.Program(b.t, "node"), "-p", "process.execPath").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	b.Program(strings.TrimSpace(string(out)), "/usr/bin/node")
}

// Python adds this machine's Python with its library, as /usr/bin/python3.
func Python(b *Bundle) {
	out, err := exec.Command(need.Program(b.t, "python3"), "-c", "import os, sys; print(os.path.realpath(sys.executable)); print(os.path.dirname(os.__file__)); print(sys.base_prefix)").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	told := strings.Fields(string(out))
	executable, library, prefix := told[0], told[1], told[2]
	b.Program(executable, prefix+"/bin/python3")
	b.File(executable, "/usr/bin/python3")
	err = filepath.WalkDir(library, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "test" || d.Name() == "site-packages" || d.Name() == "dist-packages" || strings.HasPrefix(d.Name(), "config-")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".so"):
			b.Program(path, path)
		case d.Type().IsRegular():
			b.File(path, path)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
