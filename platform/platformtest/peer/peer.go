// Package peer owns programs of others that a test talks to: servers that it
// starts, whose address it reads off what they print, and that end with it.
//
// In: a command. Out: what the program has announced. It installs nothing, and
// it knows no program.
package peer

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// Command is a program and how it says that it is ready.
type Command struct {
	Dir  string
	Args []string // the program first
	Env  []string // beside the test's own
	// Ready matches the line that says so; its first group is what Start gives.
	Ready *regexp.Regexp
}

// patience is how long a program may take to be ready, on a machine that is busy.
const patience = 2 * time.Minute

// Start starts a program and waits until it is ready. What it prints is in the
// test's log.
func Start(t testing.TB, c Command) string {
	t.Helper()
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, append(os.Environ(), c.Env...)
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = in, in, 5*time.Second // for what it has started and left
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, read := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			t.Logf("%s: %s", filepath.Base(c.Args[0]), lines.Text())
			if found := c.Ready.FindStringSubmatch(lines.Text()); found != nil && len(ready) == 0 {
				ready <- found[1]
			}
		}
		_, _ = io.Copy(io.Discard, out) // a line that is too long ends the scan, not the program
	}()
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		in.Close()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // unless it has ended by itself
		<-read
	})
	select {
	case address := <-ready:
		return address
	case err := <-ended:
		t.Fatalf("%v ended before it was ready: %v", c.Args, err)
	case <-time.After(patience):
		t.Fatalf("%v is not ready after %v", c.Args, patience)
	}
	return ""
}
