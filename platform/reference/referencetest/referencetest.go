// Package referencetest serves the reference runtime to tests of its clients.
//
// In: a test and what to serve. Out: the address, until the test's end. It makes
// up no settings, and no functions.
package referencetest

import (
	"bufio"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform/reference"
)

// Serve serves until the test's end, whose failure is an error of serving too,
// and gives the address that was bound. Options.Ready is its own.
func Serve(t testing.TB, options reference.ServeOptions) string {
	t.Helper()
	readyR, readyW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer readyR.Close()
	options.Ready = readyW
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- reference.Serve(ctx, options) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	addr, err := bufio.NewReader(readyR).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(addr)
}
