// Package tail owns the end of what a process prints.
//
// In: its output, written by whoever reads it. Out: the last so many bytes of
// it, for errors and logs. It splits nothing into lines and attributes nothing.
package tail

import (
	"io"
	"slices"
	"sync"
)

// Tail keeps the end of what is written to it. The zero value is ready; it is
// safe for concurrent use.
type Tail struct {
	Size int       // bytes that are kept; the default is 16 KiB
	Next io.Writer // gets everything, too; nil is nobody

	mu   sync.Mutex
	kept []byte
}

const usualSize = 16 << 10

// Write never fails: a reader that is gone must not end who prints.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := t.Size
	if size == 0 {
		size = usualSize
	}
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - size; over > 0 {
		t.kept = slices.Delete(t.kept, 0, over)
	}
	if t.Next != nil {
		_, _ = t.Next.Write(p)
	}
	return len(p), nil
}

// String is what is kept.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
