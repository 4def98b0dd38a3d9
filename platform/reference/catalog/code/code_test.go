package code_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/catalog/code"
)

// entry is one of an archive's. Its name is written as it is.
type entry struct {
	name, content string
	mode          fs.FileMode
	change        func(*zip.FileHeader)
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		if e.change == nil {
			f, err := w.CreateHeader(h)
			if err == nil {
				_, err = io.WriteString(f, e.content)
			}
			if err != nil && e.content != "" {
				t.Fatal(err)
			}
			continue
		}
		h.Method = zip.Store
		h.CRC32 = crc32.ChecksumIEEE([]byte(e.content))
		h.CompressedSize64, h.UncompressedSize64 = uint64(len(e.content)), uint64(len(e.content))
		e.change(h)
		f, err := w.CreateRaw(h)
		if err == nil {
			_, err = io.WriteString(f, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openStore(t testing.TB, limits code.Limits) (*code.Store, string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "code")
	s, err := code.Open(root, limits, false)
	if err != nil {
		t.Fatal(err)
	}
	return s, root
}

// small are limits that a test can reach.
func small() code.Limits {
	l := code.Lambda()
	l.Unzipped, l.Files, l.Depth = 10_000, 20, 5
	return l
}

// tree tells a folder's files by name: their mode and content.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		switch d.Type() {
		case 0:
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			what += " " + string(content)
		case fs.ModeSymlink:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			what = "-> " + target
		}
		rel, err := filepath.Rel(root, name)
		files[filepath.ToSlash(rel)] = what
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestArchiveBecomesFolder(t *testing.T) {
	s, root := openStore(t, code.Lambda())
	text := archive(t,
		entry{name: "bootstrap", content: "run", mode: 0o700},
		entry{name: "lib/", mode: fs.ModeDir | 0o700},
		entry{name: "lib/data.json", content: "{}", mode: 0o600},
		entry{name: "./deep//er/file", content: "", mode: 0o444},
		entry{name: "lib/link", content: "../deep/er", mode: fs.ModeSymlink | 0o777},
		entry{name: "lib/through", content: "link/file", mode: fs.ModeSymlink | 0o777},
	)
	p, err := s.AddZip(text)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"bootstrap": "-rwxr-xr-x run", "lib": "drwxr-xr-x", "lib/data.json": "-rw-r--r-- {}",
		"deep": "drwxr-xr-x", "deep/er": "drwxr-xr-x", "deep/er/file": "-rw-r--r-- ",
		"lib/link": "-> ../deep/er", "lib/through": "-> link/file",
	}
	if diff := cmp.Diff(want, tree(t, p.Folder)); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
	if filepath.Dir(p.Folder) != root || int(p.Size) != len(text) {
		t.Errorf("package %+v", p)
	}
}

func TestArchiveIsRefused(t *testing.T) {
	const regular = 0o644
	deep := strings.Repeat("d/", 6) + "f"
	tests := []struct {
		name    string
		why     string
		entries []entry
	}{
		{"climbing", "climbs", []entry{{name: "../f", mode: regular}}},
		{"climbing in the middle", "climbs", []entry{{name: "a/../../f", mode: regular}}},
		{"climbing and back", "climbs", []entry{{name: "a/../f", mode: regular}}},
		{"absolute", "absolute", []entry{{name: "/etc/f", mode: regular}}},
		{"backslash", "backslash", []entry{{name: `..\f`, mode: regular}}},
		{"NUL", "NUL", []entry{{name: "f\x00.js", mode: regular}}},
		{"not UTF-8", "UTF-8", []entry{{name: "f\xff", mode: regular}}},
		{"no name", "no name", []entry{{name: "", mode: regular}}},
		{"a folder for a file", "names no file", []entry{{name: ".", content: "x", mode: regular}}},
		{"long element", "255", []entry{{name: strings.Repeat("x", 256), mode: regular}}},
		{"long name", "1024", []entry{{name: strings.Repeat("abcdefgh/", 120) + "f", mode: regular}}},
		{"deep", "folders deep", []entry{{name: deep, mode: regular}}},
		{"twice", "twice", []entry{{name: "f", mode: regular}, {name: "f", mode: regular}}},
		{"twice in other words", "twice", []entry{{name: "a/f", mode: regular}, {name: "a/./f", mode: regular}}},
		{"a file and a link", "twice", []entry{{name: "f", mode: regular}, {name: "f", content: "g", mode: fs.ModeSymlink | 0o777}}},
		{"a file and a folder", "a file and a folder", []entry{{name: "f", mode: regular}, {name: "f/g", mode: regular}}},
		{"below a link", "a file and a folder", []entry{{name: "l", content: ".", mode: fs.ModeSymlink | 0o777}, {name: "l/f", content: "x", mode: regular}}},
		{"link out", "out of the package", []entry{{name: "l", content: "../..", mode: fs.ModeSymlink | 0o777}}},
		{"absolute link", "out of the package", []entry{{name: "l", content: "/etc/passwd", mode: fs.ModeSymlink | 0o777}}},
		{"link out through a link", "out of the package", []entry{
			{name: "a/b/l", content: "d/../../x", mode: fs.ModeSymlink | 0o777},
			{name: "a/b/d", content: "../../top", mode: fs.ModeSymlink | 0o777},
			{name: "top/f", mode: regular},
		}},
		{"links in a circle", "circle", []entry{
			{name: "a", content: "b", mode: fs.ModeSymlink | 0o777},
			{name: "b", content: "a", mode: fs.ModeSymlink | 0o777},
		}},
		{"link to nothing", "nowhere", []entry{{name: "l", content: "gone", mode: fs.ModeSymlink | 0o777}}},
		{"link without a target", "no target", []entry{{name: "l", mode: fs.ModeSymlink | 0o777}}},
		{"link with a long target", "neither", []entry{{name: "l", content: strings.Repeat("x", 5000), mode: fs.ModeSymlink | 0o777}}},
		{"device", "neither", []entry{{name: "d", mode: fs.ModeDevice | 0o666}}},
		{"pipe", "neither", []entry{{name: "p", mode: fs.ModeNamedPipe | 0o666}}},
		{"encrypted", "encrypted", []entry{{name: "f", content: "x", mode: regular, change: func(h *zip.FileHeader) { h.Flags |= 1 }}}},
		{"strange method", "method", []entry{{name: "f", content: "x", mode: regular, change: func(h *zip.FileHeader) { h.Method = 93 }}}},
		{"too many", "more than 20", func() (many []entry) {
			for i := range 25 {
				many = append(many, entry{name: fmt.Sprint("f", i), mode: regular})
			}
			return many
		}()},
		{"one folder too often", "more than 20", slices.Repeat([]entry{{name: "d/", mode: fs.ModeDir | 0o755}}, 41)},
		{"too many folders", "more than 20", []entry{{name: "a/b/c/d/f", mode: regular}, {name: "e/b/c/d/f", mode: regular}, {name: "g/b/c/d/f", mode: regular}, {name: "h/b/c/d/f", mode: regular}}},
		{"too big", "exceed 10000", []entry{{name: "f", content: strings.Repeat("x", 6000), mode: regular}, {name: "g", content: strings.Repeat("x", 6000), mode: regular}}},
		{"bomb that declares a byte", "cannot be unpacked", []entry{{name: "f", content: strings.Repeat("x", 50_000), mode: regular, change: func(h *zip.FileHeader) { h.UncompressedSize64 = 1 }}}},
		{"bomb that declares nearly everything", "exceed 10000", []entry{
			{name: "f", content: "x", mode: regular, change: func(h *zip.FileHeader) { h.UncompressedSize64 = 1<<64 - 2 }},
			{name: "g", content: "x", mode: regular, change: func(h *zip.FileHeader) { h.UncompressedSize64 = 3 }},
		}},
		{"less than it declares", "cannot be unpacked", []entry{{name: "f", content: "x", mode: regular, change: func(h *zip.FileHeader) { h.UncompressedSize64 = 9 }}}},
		{"wrong checksum", "checksum", []entry{{name: "f", content: "x", mode: regular, change: func(h *zip.FileHeader) { h.CRC32++ }}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, root := openStore(t, small())
			_, err := s.AddZip(archive(t, tt.entries...))
			if _, ok := errors.AsType[*code.Refusal](err); !ok || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %v, want a refusal with %q", err, tt.why)
			}
			if left := tree(t, root); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if beside := tree(t, filepath.Dir(root)); len(beside) != 1 {
				t.Errorf("beside the store: %v", beside)
			}
		})
	}
	for name, text := range map[string][]byte{"nothing": nil, "not a zip": []byte("PK hello"), "an empty zip": archive(t)} {
		s, _ := openStore(t, small())
		if _, err := s.AddZip(text); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestSizeOfTheArchive(t *testing.T) {
	limits := code.Lambda()
	text := archive(t, entry{name: "f", mode: 0o644})
	limits.Zip = 10
	s, _ := openStore(t, limits)
	_, err := s.AddZip(text)
	if r, ok := errors.AsType[*code.Refusal](err); !ok || r.Size != 10 {
		t.Errorf("got %v, want a refusal for more than 10 bytes", err)
	}
	limits.Zip = code.Lambda().Zip
	limits.Total = 10
	s, root := openStore(t, limits)
	if _, err := s.AddZip(text); !errors.Is(err, code.ErrFull) {
		t.Errorf("got %v, want that the store is full", err)
	}
	if left := tree(t, root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPackagesLiveAsLongAsTheyAreHeld(t *testing.T) {
	s, root := openStore(t, code.Lambda())
	one := archive(t, entry{name: "bootstrap", content: "one", mode: 0o755})
	p, err := s.AddZip(one)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.AddZip(one)
	if err != nil || again != p {
		t.Errorf("the same archive again: %+v, %v", again, err)
	}
	if _, err := s.Hold(p.SHA256, p.Size); err != nil {
		t.Error(err)
	}
	if s.Total() != p.Size {
		t.Errorf("three holds of one package take %d bytes, it has %d", s.Total(), p.Size)
	}
	for i := range 3 {
		if _, err := os.Stat(filepath.Join(p.Folder, "bootstrap")); err != nil {
			t.Errorf("before release %d: %v", i+1, err)
		}
		if err := s.Release(p.SHA256); err != nil {
			t.Error(err)
		}
	}
	if left := tree(t, root); len(left) > 0 || s.Total() != 0 {
		t.Errorf("after the last: %v, %d bytes", left, s.Total())
	}
	if err := s.Release(p.SHA256); err == nil {
		t.Error("a hold that nobody had was given back")
	}
	if _, err := s.Hold(p.SHA256, p.Size); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("hold of what is gone: %v", err)
	}
}

func TestOpenTakesWhatIsThere(t *testing.T) {
	s, root := openStore(t, code.Lambda())
	keep, err := s.AddZip(archive(t, entry{name: "f", content: "keep", mode: 0o644}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddZip(archive(t, entry{name: "f", content: "nobody's", mode: 0o644})); err != nil {
		t.Fatal(err)
	}
	for _, leftover := range []string{"unfinished-1/a/b", "discarded-7-00/a"} {
		if err := os.MkdirAll(filepath.Join(root, leftover), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s, err = code.Open(root, code.Lambda(), true)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.Hold(keep.SHA256, keep.Size); err != nil || p != keep {
		t.Errorf("hold after another Open: %+v, %v", p, err)
	}
	if err := s.Sweep(); err != nil {
		t.Error(err)
	}
	want := map[string]string{filepath.Base(keep.Folder): "drwxr-xr-x", filepath.Base(keep.Folder) + "/f": "-rw-r--r-- keep"}
	if diff := cmp.Diff(want, tree(t, root)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

// TestManyAtOnce adds and releases the same few packages from many goroutines.
func TestManyAtOnce(t *testing.T) {
	s, root := openStore(t, code.Lambda())
	var texts [][]byte
	for i := range 3 {
		texts = append(texts, archive(t, entry{name: "bootstrap", content: fmt.Sprint(i), mode: 0o755}))
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 40 {
				n := (g + i) % len(texts)
				p, err := s.AddZip(texts[n])
				if err != nil {
					t.Error(err)
					return
				}
				if text, err := os.ReadFile(filepath.Join(p.Folder, "bootstrap")); err != nil || string(text) != fmt.Sprint(n) {
					t.Errorf("package %d holds %q, %v", n, text, err)
				}
				if err := s.Release(p.SHA256); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left := tree(t, root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFolderIsCopied(t *testing.T) {
	from := t.TempDir()
	write := func(name, content string, mode fs.FileMode) {
		t.Helper()
		file := filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("bootstrap", "run", 0o700)
	write("lib/data", "1", 0o600)
	if err := os.Symlink("lib/data", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	s, _ := openStore(t, small())
	p, err := s.AddFolder(from)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"bootstrap": "-rwxr-xr-x run", "lib": "drwxr-xr-x", "lib/data": "-rw-r--r-- 1", "link": "-> lib/data"}
	if diff := cmp.Diff(want, tree(t, p.Folder)); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}
	if want := shellDigest(t, from); p.SHA256 != want {
		t.Errorf("digest %s, by the shell %s", p.SHA256, want)
	}
	if again, err := s.AddFolder(from); err != nil || again != p {
		t.Errorf("the same folder again: %+v, %v", again, err)
	}
	write("lib/data", "2", 0o600)
	if other, err := s.AddFolder(from); err != nil || other.SHA256 == p.SHA256 {
		t.Errorf("another content: %+v, %v", other, err)
	}
	write("big", strings.Repeat("x", 10_001), 0o600)
	if _, err := s.AddFolder(from); err == nil || !strings.Contains(err.Error(), "exceed") {
		t.Errorf("a big file: %v", err)
	}
	os.Remove(filepath.Join(from, "big"))
	if err := os.Symlink("/etc", filepath.Join(from, "out")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddFolder(from); err == nil || !strings.Contains(err.Error(), "out of the package") {
		t.Errorf("a link out: %v", err)
	}
}

// shellDigest computes a folder's digest as its doc says, with the system's tools.
func shellDigest(t *testing.T, folder string) string {
	script := `sum() { sha256sum | cut -d' ' -f1; }
		{ echo "x $(sum <bootstrap) \"bootstrap\""
		  echo "d $(printf '0%.0s' $(seq 64)) \"lib\""
		  echo "f $(sum <lib/data) \"lib/data\""
		  echo "l $(readlink -n link | sum) \"link\""
		} | sha256sum | cut -d' ' -f1`
	cmd := exec.Command(need.Program(t, "sh"), "-c", script)
	need.Program(t, "sha256sum")
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := hex.DecodeString(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// FuzzZip: whatever the archive, nothing is written outside of the store, what
// is refused leaves nothing, and what is accepted is what archive/zip reads.
func FuzzZip(f *testing.F) {
	for _, entries := range [][]entry{
		{{name: "bootstrap", content: "run", mode: 0o755}},
		{{name: "a/b/c", content: "text", mode: 0o644}, {name: "l", content: "a/b", mode: fs.ModeSymlink | 0o777}},
		{{name: "../f", content: "x", mode: 0o644}},
		{{name: "l", content: "..", mode: fs.ModeSymlink | 0o777}, {name: "l/f", content: "x", mode: 0o644}},
		{{name: "d/", mode: fs.ModeDir | 0o755}, {name: "d/f", content: "x", mode: 0o600}},
		{{name: "a", content: "./a/..", mode: fs.ModeSymlink | 0o777}},
	} {
		f.Add(archive(f, entries...))
	}
	f.Fuzz(judge)
}

// FuzzEntries is FuzzZip with archives that are whole, so that what fuzzing
// changes is their entries and not their checksums.
func FuzzEntries(f *testing.F) {
	const link = uint32(fs.ModeSymlink | 0o777)
	f.Add("bootstrap", "run", uint32(0o755), "a/b", "text", uint32(0o644), "l", "a", link, uint64(0))
	f.Add("a/l", "d/../../x", link, "a/d", "../top", link, "top/f", "", uint32(0), uint64(0))
	f.Add("a", "b/c", link, "b", ".", link, "c", "..", link, uint64(0))
	f.Add("../f", "x", uint32(0), "f/", "", uint32(fs.ModeDir), "./f", "x", uint32(0), uint64(1))
	f.Add("d/", "x", uint32(0), `d\f`, "", uint32(0), "/f", "x", uint32(fs.ModeSetuid|0o755), uint64(1<<63))
	f.Fuzz(func(t *testing.T, name1, content1 string, mode1 uint32, name2, content2 string, mode2 uint32, name3, content3 string, mode3 uint32, lie uint64) {
		entries := []entry{
			{name: name1, content: content1, mode: fs.FileMode(mode1)},
			{name: name2, content: content2, mode: fs.FileMode(mode2)},
			{name: name3, content: content3, mode: fs.FileMode(mode3)},
		}
		for i := range entries {
			if len(entries[i].name) > 60_000 {
				t.Skip("the format has 16 bits for it")
			}
			if strings.HasSuffix(entries[i].name, "/") {
				entries[i].content = "" // archive/zip writes none
			}
			entries[i].change = func(h *zip.FileHeader) { h.UncompressedSize64 += lie * uint64(i) }
		}
		judge(t, archive(t, entries...))
	})
}

// judge stores an archive and holds the outcome to what FuzzZip says.
func judge(t *testing.T, text []byte) {
	s, root := openStore(t, small())
	p, err := s.AddZip(text)
	if others, _ := os.ReadDir(filepath.Dir(root)); len(others) != 1 {
		t.Fatalf("written beside the store: %v", others)
	}
	if err == nil {
		compare(t, p.Folder, text)
		return
	}
	if left := tree(t, root); len(left) > 0 {
		t.Fatalf("refused (%v), and left %v", err, left)
	}
}

// compare holds a folder against an archive, read as simply as can be.
func compare(t *testing.T, folder string, text []byte) {
	r, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatalf("accepted, and not a zip: %v", err)
	}
	want := make(map[string]string)
	for _, f := range r.File {
		name := path.Clean(f.Name)
		for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
			want[parent] = "drwxr-xr-x"
		}
		if name == "." {
			continue
		}
		if f.Mode().IsDir() {
			want[name] = "drwxr-xr-x"
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatalf("accepted, and %q cannot be opened: %v", f.Name, err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatalf("accepted, and %q cannot be read: %v", f.Name, err)
		}
		switch {
		case f.Mode()&fs.ModeSymlink != 0:
			want[name] = "-> " + string(content)
			inside(t, folder, name)
		case f.Mode()&0o111 != 0:
			want[name] = "-rwxr-xr-x " + string(content)
		default:
			want[name] = "-rw-r--r-- " + string(content)
		}
	}
	if diff := cmp.Diff(want, tree(t, folder)); diff != "" {
		t.Fatalf("not what archive/zip reads (-want +got):\n%s", diff)
	}
}

// inside asks the system where a link leads.
func inside(t *testing.T, folder, name string) {
	real, err := filepath.EvalSymlinks(filepath.Join(folder, name))
	if err != nil {
		t.Fatalf("accepted, and the link %q leads nowhere: %v", name, err)
	}
	base, err := filepath.EvalSymlinks(folder)
	if err != nil {
		t.Fatal(err)
	}
	if real != base && !strings.HasPrefix(real, base+string(filepath.Separator)) {
		t.Fatalf("accepted, and the link %q leads to %s", name, real)
	}
}
