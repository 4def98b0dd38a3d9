package events

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/google/go-cmp/cmp"
)

// watched gives a Watcher whose invocations arrive on the channel.
func watched(t *testing.T, watch Watch) (*Watcher, chan engine.Invocation) {
	t.Helper()
	got := make(chan engine.Invocation, 1000)
	q := NewQueue(QueueOptions{Invoker: invoker(func(inv engine.Invocation) { got <- inv }), Log: t.Logf})
	w, err := NewWatcher(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
		closed(t, q)
	})
	if err := w.Add(watch); err != nil {
		t.Fatal(err)
	}
	return w, got
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, got chan engine.Invocation) objectRecord {
	t.Helper()
	select {
	case inv := <-got:
		var n notification
		if err := json.Unmarshal(inv.Payload, &n); err != nil || len(n.Records) != 1 {
			t.Fatalf("event %s: %v", inv.Payload, err)
		}
		if inv.Trigger != "folder" || inv.Triggered == 0 {
			t.Errorf("trigger %q at %d, want folder and when", inv.Trigger, inv.Triggered)
		}
		return n.Records[0]
	case <-time.After(time.Minute):
		t.Fatal("no event")
		panic("unreachable")
	}
}

func TestWatcherTellsFilesThatAreComplete(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	write(t, filepath.Join(folder, "before.jpg"), "old")
	w, got := watched(t, Watch{Bucket: "photos", Folder: folder, Suffix: ".jpg", Function: "f"})

	// What is not a complete object of the watch causes nothing.
	write(t, filepath.Join(folder, ".hidden.jpg"), "x")
	write(t, filepath.Join(folder, "notes.txt"), "x")
	if err := os.Mkdir(filepath.Join(folder, "dir.jpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(elsewhere, "target.jpg"), "x")
	if err := os.Symlink(filepath.Join(elsewhere, "target.jpg"), filepath.Join(elsewhere, "link.jpg")); err != nil {
		t.Fatal(err)
	}
	rename(t, filepath.Join(elsewhere, "link.jpg"), filepath.Join(folder, "link.jpg"))

	f, err := os.Create(filepath.Join(folder, "a b+ü.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := f.WriteString("part"); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r := next(t, got)
	want := objectEntry{Key: "a+b%2B%C3%BC.jpg", Size: 12, LocalPath: filepath.Join(folder, "a b+ü.jpg"), ETag: r.S3.Object.ETag, Sequencer: r.S3.Object.Sequencer}
	if diff := cmp.Diff(want, r.S3.Object); diff != "" || len(want.ETag) != 32 {
		t.Errorf("object (-want +got):\n%s", diff)
	}
	if r.Name != "ObjectCreated:Put" || r.S3.Bucket.Name != "photos" {
		t.Errorf("record: %+v", r)
	}

	write(t, filepath.Join(elsewhere, "moved.jpg"), "12345")
	rename(t, filepath.Join(elsewhere, "moved.jpg"), filepath.Join(folder, "moved.jpg"))
	if r := next(t, got); r.Name != "ObjectCreated:Copy" || r.S3.Object.Key != "moved.jpg" || r.S3.Object.Size != 5 {
		t.Errorf("record of a file that was moved here: %+v", r)
	}
	if len(got) > 0 {
		t.Errorf("%d more events: %s", len(got), (<-got).Payload)
	}
	if err := w.Add(Watch{Bucket: "again", Folder: folder}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a folder that is watched already: got %v", err)
	}
	if err := w.Add(Watch{Bucket: "none", Folder: filepath.Join(folder, "none")}); err == nil {
		t.Error("a folder that is not there is watched")
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestWatcherExpect(t *testing.T) {
	folder := t.TempDir()
	w, _ := watched(t, Watch{Bucket: "b", Folder: folder, Function: "f"})
	done, end := into()
	w.Expect(filepath.Join(folder, "mine"), Awaited{Done: done})
	write(t, filepath.Join(folder, "other"), "x")
	write(t, filepath.Join(folder, "mine"), "x")
	select {
	case r := <-end:
		if r.Condition != Success {
			t.Errorf("got %s %v", r.Condition, r.Err)
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
}

// TestWatcherLosesNothing: many files at once, all of them are told.
func TestWatcherLosesNothing(t *testing.T) {
	folder := t.TempDir()
	_, got := watched(t, Watch{Bucket: "b", Folder: folder, Function: "f"})
	const n = 500
	for i := range n {
		write(t, filepath.Join(folder, string(rune('a'+i%26))+strings.Repeat("x", i/26)), "x")
	}
	seen := make(map[string]bool)
	for range n {
		seen[next(t, got).S3.Object.Key] = true
	}
	if len(seen) != n {
		t.Errorf("%d different files, want %d", len(seen), n)
	}
}
