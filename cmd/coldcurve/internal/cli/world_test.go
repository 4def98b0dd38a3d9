package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
)

// unreadPipe is one whose reader has gone.
func unreadPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	r.Close()
	return w
}

// TestNobodyReads: a command whose output is not read ends by itself, so that it
// can clear up, and not by the signal.
func TestNobodyReads(t *testing.T) {
	path, err := exec.LookPath("coldcurve")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "schema", "summary")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = unreadPipe(t), &said
	if _ = cmd.Run(); cmd.ProcessState.ExitCode() != exitFailure || said.Len() > 0 {
		t.Errorf("%v, said %q; want exit code %d and nothing said", cmd.ProcessState, said.String(), exitFailure)
	}
}

// TestUnreadOutputInterrupts: what works on, as compare does, is told.
func TestUnreadOutputInterrupts(t *testing.T) {
	survivePipes()
	ctx, unread := context.WithCancelCause(t.Context())
	defer unread(nil)
	if _, err := (&outlet{unreadPipe(t), unread}).Write([]byte("progress")); err == nil || context.Cause(ctx) != errUnread {
		t.Errorf("write: %v, the context: %v; want both to say so", err, context.Cause(ctx))
	}
}
