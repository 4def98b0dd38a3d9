package rundir_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
)

// FuzzRead reads directories with damaged files: each is refused with its name,
// or gives the same samples whenever it is read.
func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	w := create(f, filepath.Join(dir, "run"))
	for i := 0; i < 40; i += 10 {
		appendAll(f, w, i, i+10)
		if err := w.Flush(time.Duration(i) * time.Second); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete = true }); err != nil {
		f.Fatal(err)
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, "run", name))
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	manifest, samples := read("manifest.json"), read("samples.jsonl.zst")
	f.Add(manifest, samples, []byte(`{"entries":[],"total":{}}`))
	f.Add(manifest, samples[:len(samples)/2], []byte(`{`))
	f.Add(bytes.Replace(manifest, []byte("/v1"), []byte("/v2"), 1), samples, []byte(`[]`))
	f.Add([]byte(`{}`), []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, manifest, samples, usage []byte) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{"manifest.json": manifest, "samples.jsonl.zst": samples, "usage.json": usage} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		d, err := rundir.Open(dir)
		if err != nil {
			if !bytes.Contains([]byte(err.Error()), []byte("manifest.json")) {
				t.Errorf("%v: want the file's name", err)
			}
			return
		}
		if d.Manifest.Schema != rundir.Schema {
			t.Errorf("read a manifest of schema %q", d.Manifest.Schema)
		}
		walk := func() (n int, torn bool, failed string) {
			for s, err := range d.Samples() {
				if err != nil {
					return n, d.Truncated(), err.Error()
				}
				if s == nil {
					t.Fatal("neither a sample nor an error")
				}
				n++
			}
			return n, d.Truncated(), ""
		}
		n, torn, failed := walk()
		if n2, torn2, failed2 := walk(); n != n2 || torn != torn2 || failed != failed2 {
			t.Errorf("first %d samples, torn %v, %q; then %d, %v, %q", n, torn, failed, n2, torn2, failed2)
		}
		if _, err := d.Usage(); err != nil && !bytes.Contains([]byte(err.Error()), []byte("usage")) {
			t.Errorf("%v: want what was read", err)
		}
	})
}
