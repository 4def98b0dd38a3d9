package subject

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// Gate is a folder at which requests are held in their handlers: each leaves a
// file there, and goes on when the gate is open. So a test knows that they are
// under way, however long that took. Functions in Go alone know it.
type Gate string

const passes = "open" // the file that lets all go on

// Request is what a subject is told to be held.
func (g Gate) Request() Request { return Request{Do: Hold, Text: string(g)} }

// Held is how many requests have come so far.
func (g Gate) Held() (int, error) {
	came, err := filepath.Glob(filepath.Join(string(g), "held-*"))
	return len(came), err
}

// Open lets all go on, and whoever comes from now on.
func (g Gate) Open() error { return os.WriteFile(filepath.Join(string(g), passes), nil, 0o644) }

// pass waits at the gate until it is open.
func (g Gate) pass(ctx context.Context) error {
	file, err := os.CreateTemp(string(g), "held-")
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	const seldom = 200 * time.Millisecond // a thousand that are held are to leave the machine alone
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, seldom) {
		if _, err := os.Stat(filepath.Join(string(g), passes)); err == nil {
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
