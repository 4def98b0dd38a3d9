package code_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/catalog/code"
)

func TestFullDisk(t *testing.T) {
	need.Root(t)
	root := t.TempDir()
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=64k"); err != nil {
		need.Missing(t, "a file system of its own: "+err.Error())
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, 0); err != nil {
			t.Error(err)
		}
	})
	s, err := code.Open(root, code.Lambda(), true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.AddZip(archive(t, entry{name: "d/f", content: strings.Repeat("x", 100_000), mode: 0o644}))
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v, want that there is no space", err)
	}
	if left := tree(t, root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := s.AddZip(archive(t, entry{name: "f", content: "x", mode: 0o644})); err != nil {
		t.Errorf("what fits: %v", err)
	}
}
