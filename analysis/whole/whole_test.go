package whole

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

func TestWhatFailsLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	if err := JSON(path, map[string]int{"is": 1}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken off")
	err := Write(path, 0o600, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want what the writer said", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "{\n  \"is\": 1\n}\n" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if err := JSON(path, func() {}); err == nil {
		t.Error("a function was written as JSON")
	}
	alone(t, dir)
}

func TestEveryReaderSeesAWholeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	contents := map[string]bool{"one, and long enough for two writes": true, "two": true}
	if err := Bytes(path, 0o600, []byte("two")); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for content := range contents {
		writers.Go(func() {
			for range 50 {
				err := Write(path, 0o600, func(w io.Writer) error {
					_, first := io.WriteString(w, content[:2])
					runtime.Gosched()
					_, second := io.WriteString(w, content[2:])
					return errors.Join(first, second)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		if text, err := os.ReadFile(path); err != nil || !contents[string(text)] {
			t.Fatalf("a reader saw %q, %v", text, err)
		}
	}
	writers.Wait()
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has %v, %v", info.Mode(), err)
	}
	alone(t, dir)
}

// alone wants nothing in the folder beside the file.
func alone(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}
