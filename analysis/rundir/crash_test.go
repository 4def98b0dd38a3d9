package rundir_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// flushedAt appends n samples with a flush after every step, and gives the
// size of the samples' file after each flush.
func flushedAt(t *testing.T, dir string, n, step int) (sizes []int) {
	t.Helper()
	w := create(t, dir)
	for i := 0; i < n; i += step {
		appendAll(t, w, i, i+step)
		if err := w.Flush(time.Duration(i) * time.Second); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, "samples.jsonl.zst"))
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, int(info.Size()))
	}
	return sizes
}

// TestTornAtEveryByte cuts the samples' file at every length: what was flushed
// by then is read, in order and to the last sample, and nothing is an error.
func TestTornAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	const step = 4
	sizes := flushedAt(t, dir, 5*step, step)
	path := filepath.Join(dir, "samples.jsonl.zst")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	for cut := len(whole); cut >= 0; cut-- {
		if err := os.Truncate(path, int64(cut)); err != nil {
			t.Fatal(err)
		}
		frames, atEnd := slices.BinarySearch(sizes, cut)
		if atEnd {
			frames++
		}
		got := seqs(t, d)
		if len(got) < frames*step || !slices.Equal(got, upTo(len(got))) {
			t.Fatalf("cut at %d of %d bytes: read %v, want the %d flushed ones", cut, len(whole), got, frames*step)
		}
		if torn := !atEnd && cut > 0; d.Truncated() != torn {
			t.Fatalf("cut at %d of %d bytes: truncated is %v, want %v", cut, len(whole), d.Truncated(), torn)
		}
	}
}

// TestLargeFrameTorn cuts frames of several zstd blocks, out of which lines
// can be had although the frame is torn.
func TestLargeFrameTorn(t *testing.T) {
	dir := t.TempDir()
	flushedAt(t, dir, 6000, 6000)
	path := filepath.Join(dir, "samples.jsonl.zst")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	for cut := len(whole) - 1; cut > 0; cut -= 1 + len(whole)/20 {
		if err := os.Truncate(path, int64(cut)); err != nil {
			t.Fatal(err)
		}
		if got := seqs(t, d); !slices.Equal(got, upTo(len(got))) || !d.Truncated() {
			t.Fatalf("cut at %d of %d bytes: truncated is %v, read %d samples out of order", cut, len(whole), d.Truncated(), len(got))
		}
	}
}

// TestDamageIsAnError: what no crash leaves behind is not taken for a torn end.
func TestDamageIsAnError(t *testing.T) {
	for name, damage := range map[string]func(file []byte, firstFrame int) []byte{
		"a flipped bit":      func(f []byte, first int) []byte { f[first/2] ^= 0x10; return f },
		"zeros at the end":   func(f []byte, _ int) []byte { return append(f, make([]byte, 100)...) },
		"not zstd":           func([]byte, int) []byte { return []byte("{\"seq\":1}\n{\"seq\":2}\n") },
		"a missing stretch":  func(f []byte, first int) []byte { return append(f[:first-30], f[first:]...) },
		"a foreign key":      func([]byte, int) []byte { return compressed(t, `{"seq":1,"colour":"red"}`+"\n") },
		"no end of the line": func([]byte, int) []byte { return compressed(t, `{"seq":1}`) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			sizes := flushedAt(t, dir, 100, 20)
			path := filepath.Join(dir, "samples.jsonl.zst")
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(file, sizes[0]), 0o644); err != nil {
				t.Fatal(err)
			}
			var last error
			for _, err := range open(t, dir).Samples() {
				if last != nil {
					t.Fatal("the sequence goes on after an error")
				}
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), path) {
				t.Errorf("reading ends with %v, want an error that names the file", last)
			}
		})
	}
}

func TestTornThoughCompleteIsAnError(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	appendAll(t, w, 0, 50)
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete = true }); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "samples.jsonl.zst")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range open(t, dir).Samples() {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "torn frame at the end") {
		t.Errorf("a complete run that lost its end is read with %v, want an error", last)
	}
}

func TestSamplesMayBeLeftEarly(t *testing.T) {
	dir := t.TempDir()
	flushedAt(t, dir, 100, 20)
	d := open(t, dir)
	for range d.Samples() {
		break
	}
	if got := seqs(t, d); len(got) != 100 {
		t.Errorf("a second walk reads %d samples, want 100", len(got))
	}
}

// TestKilledProcess runs a child that appends and flushes without end, kills
// it in the middle several times, and reads what it had said was flushed.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv("RUNDIR_TEST_CHILD"); dir != "" {
		appendUntilKilled(t, dir)
	}
	need.Linux(t)
	for attempt := range 3 {
		dir := t.TempDir()
		child := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
		child.Env = append(os.Environ(), "RUNDIR_TEST_CHILD="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		flushed := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Errorf("child: %s", lines.Text())
				break
			}
			flushed = n
			if n > 1000+attempt*1111 {
				break
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out)
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		for line := range strings.Lines(string(rest)) { // what it said before it died
			if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && strings.HasSuffix(line, "\n") {
				flushed = n
			}
		}
		d := open(t, dir)
		if got := seqs(t, d); len(got) < flushed || !slices.Equal(got, upTo(len(got))) || d.Manifest.Complete {
			t.Errorf("attempt %d: %d samples read, complete %v; %d were flushed", attempt, len(got), d.Manifest.Complete, flushed)
		}
	}
}

func appendUntilKilled(t *testing.T, dir string) {
	w := create(t, dir)
	for i := 0; ; i++ {
		appendAll(t, w, i, i+1)
		if i%37 == 36 {
			if err := w.Flush(nth(i).Done); err != nil {
				t.Fatal(err)
			}
			fmt.Println(i + 1)
		}
	}
}

// TestFullDisk: the error names the file and comes back each time, nothing is
// written behind the torn frame, and what was flushed stays readable.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	appendAll(t, w, 0, 500)
	if err := w.Flush(time.Second); err != nil {
		t.Fatal(err)
	}
	errFull := errors.New("no space left on device")
	w.Fill(3000, &fs.PathError{Op: "write", Path: filepath.Join(dir, "samples.jsonl.zst"), Err: errFull}) // as os.File has it
	n := 500
	var failed error
	for ; failed == nil && n < 100_000; n++ {
		s := nth(n)
		if failed = w.Append(&s); failed == nil && n%100 == 99 {
			failed = w.Flush(time.Duration(n) * 10 * time.Millisecond)
		}
	}
	if !errors.Is(failed, errFull) || !strings.Contains(failed.Error(), filepath.Join(dir, "samples.jsonl.zst")) {
		t.Fatalf("after %d samples: %v, want the system's error with the path", n, failed)
	}
	w.Fill(1<<30, nil) // there is room again
	s := nth(n)
	if again, flush := w.Append(&s), w.Flush(time.Hour); again != failed || flush != failed {
		t.Errorf("afterwards Append gives %v and Flush %v, want the same error", again, flush)
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete = true }); !errors.Is(err, errFull) {
		t.Errorf("Finish gives %v, want the error", err)
	}
	d := open(t, dir)
	if got := seqs(t, d); len(got) < 500 || !slices.Equal(got, upTo(len(got))) || !d.Truncated() {
		t.Errorf("%d samples are read, truncated %v; want at least the 500 flushed before", len(got), d.Truncated())
	}
	if d.Manifest.Complete {
		t.Error("a run with lost samples says that it is complete")
	}
}

// compressed is a zstd file of that content.
func compressed(t *testing.T, content string) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return encoder.EncodeAll([]byte(content), nil)
}

// FuzzSamples reads arbitrary bytes as a run's samples: whatever they are, they
// are read to an end or to one error.
func FuzzSamples(f *testing.F) {
	dir := f.TempDir()
	w := create(f, dir)
	appendAll(f, w, 0, 3)
	if err := w.Finish(func(*rundir.Manifest) {}); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, "samples.jsonl.zst")
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(slices.Clone(whole), whole...))
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		ended := false
		for s, err := range open(t, dir).Samples() {
			if ended || (s == nil) == (err == nil) {
				t.Fatalf("sample %v and error %v, after an end: %v", s, err, ended)
			}
			ended = err != nil
		}
	})
}

func TestAppendDoesNotAllocate(t *testing.T) {
	w := create(t, t.TempDir())
	s := nth(10)
	if n := testing.AllocsPerRun(20_000, func() {
		s.Seq++
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Append allocates %v times a sample, want 0", n)
	}
}

func TestAMillionSamplesFitInMemory(t *testing.T) {
	w := create(t, t.TempDir())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := nth(10)
	for i := range 1_000_000 {
		s.Seq = uint64(i)
		s.Intended, s.Done = time.Duration(i)*1000, time.Duration(i)*1007
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
		if i%10_000 == 0 {
			if err := w.Flush(s.Done); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Finish(func(*rundir.Manifest) {}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 100<<20 {
		t.Errorf("a million samples allocated %d MB in all, want less than 100", got>>20)
	}
}

func BenchmarkAppend(b *testing.B) {
	w := create(b, b.TempDir())
	s := nth(10)
	b.ReportAllocs()
	for b.Loop() {
		s.Seq++
		s.Intended += 100_000
		s.Done = s.Intended + time.Duration(s.Seq%100_000)
		if err := w.Append(&s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFlush is what a second of 10,000 requests, cold and warm, costs the
// load generator at its end.
func BenchmarkFlush(b *testing.B) {
	w := create(b, b.TempDir())
	b.ReportAllocs()
	for second := 1; b.Loop(); second++ {
		b.StopTimer()
		appendAll(b, w, 0, 10_000)
		b.StartTimer()
		if err := w.Flush(time.Duration(second) * time.Second); err != nil {
			b.Fatal(err)
		}
	}
}
