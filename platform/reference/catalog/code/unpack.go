package code

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// extract writes the entries below root: links last, so that nothing is
// written through one.
func (c *contents) extract(root *os.Root) error {
	for name := range c.folders {
		if err := makeFolder(root, name); err != nil {
			return err
		}
	}
	for name, f := range c.files {
		if err := extractFile(root, name, f); err != nil {
			return err
		}
	}
	for name, f := range c.links {
		if err := extractLink(root, name, f); err != nil {
			return err
		}
	}
	for name := range c.links {
		if err := checkLink(root, name); err != nil {
			return err
		}
	}
	return nil
}

// makeFolder makes a folder and those above it, whatever the umask.
func makeFolder(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	local := filepath.FromSlash(name)
	if err := root.MkdirAll(local, 0o755); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	for ; name != "."; name = path.Dir(name) {
		if err := root.Chmod(filepath.FromSlash(name), 0o755); err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
	}
	return nil
}

func extractFile(root *os.Root, name string, f *zip.File) error {
	content, err := f.Open()
	if err != nil {
		return refuse(name, "it cannot be unpacked: %v", err)
	}
	defer content.Close()
	return writeFile(root, name, f.Mode(), &honest{name: name, from: content, left: f.UncompressedSize64})
}

// honest reads what an archive says that an entry has, and no more. What is
// wrong with the archive is a [*Refusal], unlike what is wrong with the disk.
type honest struct {
	name string
	from io.Reader
	left uint64
}

func (h *honest) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	if uint64(n) > h.left {
		return 0, refuse(h.name, "it has more bytes than the archive says")
	}
	h.left -= uint64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, refuse(h.name, "it cannot be unpacked: %v", err)
	}
	return n, err
}

// writeFile makes a file that all may read, and run if anybody may.
func writeFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) error {
	perm := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		perm = 0o755
	}
	out, err := root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer out.Close()
	if _, err := io.Copy(out, content); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if err := out.Chmod(perm); err != nil { // the umask may have taken of it
		return fmt.Errorf("unpack: %w", err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return nil
}

func extractLink(root *os.Root, name string, f *zip.File) error {
	content, err := f.Open()
	if err != nil {
		return refuse(name, "it cannot be unpacked: %v", err)
	}
	defer content.Close()
	target, err := io.ReadAll(&honest{name: name, from: content, left: f.UncompressedSize64})
	if err != nil {
		return err
	}
	return makeLink(root, name, string(target))
}

// makeLink makes a symbolic link to wherever: see checkLink.
func makeLink(root *os.Root, name, target string) error {
	if target == "" {
		return refuse(name, "the link has no target")
	}
	if err := root.Symlink(target, filepath.FromSlash(name)); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return nil
}

// checkLink says whether a link leads to something below root. That is asked
// once all are there: a link may lead through others.
func checkLink(root *os.Root, name string) error {
	_, err := root.Stat(filepath.FromSlash(name))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return refuse(name, "the link leads nowhere")
	}
	return refuse(name, "the link leads out of the package, or in a circle")
}
