package code

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// AddFolder stores a copy of a folder's files and holds it. Its digest is the
// SHA-256 of one line for each file, folder and link below it, in the order of
// fs.WalkDir: a letter (f for a file, x for one that can be run, d, l), the
// SHA-256 of the content in hexadecimal (of a link's target; of a folder 0),
// and the quoted path with slashes. So the same files give the same digest,
// whoever owns them and whenever they were written.
func (s *Store) AddFolder(folder string) (Package, error) {
	from, err := os.OpenRoot(folder)
	if err != nil {
		return Package{}, fmt.Errorf("copy folder: %w", err)
	}
	defer from.Close()
	c := copying{limits: &s.limits, from: from, digest: sha256.New()}
	dir, err := s.stage(c.to)
	if err != nil {
		return Package{}, err
	}
	return s.install(digest(c.digest.Sum(nil)), c.size, dir)
}

// copying copies a folder and takes its digest from the copy's own bytes:
// what is copied may be changed meanwhile.
type copying struct {
	limits *Limits
	from   *os.Root
	digest hash.Hash
	size   units.Bytes
	count  int
	links  []string
}

func (c *copying) to(root *os.Root) error {
	err := fs.WalkDir(c.from.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("copy folder: %w", err)
		}
		if name == "." {
			return nil
		}
		if c.count++; c.count > c.limits.Files {
			return refuse("", "the folder has more than %d files and folders", c.limits.Files)
		}
		return c.one(root, name, entry)
	})
	if err != nil {
		return err
	}
	for _, name := range c.links {
		if err := checkLink(root, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *copying) one(root *os.Root, name string, entry fs.DirEntry) error {
	if strings.Count(name, "/") >= c.limits.Depth {
		return refuse(name, "it is more than %d folders deep", c.limits.Depth)
	}
	switch entry.Type() {
	case 0:
		return c.file(root, name)
	case fs.ModeDir:
		c.note('d', make([]byte, sha256.Size), name)
		return makeFolder(root, name)
	case fs.ModeSymlink:
		target, err := c.from.Readlink(filepath.FromSlash(name))
		if err != nil {
			return fmt.Errorf("copy folder: %w", err)
		}
		sum := sha256.Sum256([]byte(target))
		c.note('l', sum[:], name)
		c.links = append(c.links, name)
		return makeLink(root, name, target)
	}
	return refuse(name, "it is neither a file nor a folder nor a link (mode %v)", entry.Type())
}

func (c *copying) file(root *os.Root, name string) error {
	in, err := c.from.Open(filepath.FromSlash(name))
	if err != nil {
		return fmt.Errorf("copy folder: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("copy folder: %w", err)
	}
	sum := sha256.New()
	left := c.limits.Unzipped - c.size
	content := &counted{from: io.TeeReader(io.LimitReader(in, int64(left)+1), sum)}
	if err := writeFile(root, name, info.Mode(), content); err != nil {
		return err
	}
	if content.n > left {
		return c.limits.tooBig(name)
	}
	c.size += content.n
	kind := byte('f')
	if info.Mode()&0o111 != 0 {
		kind = 'x'
	}
	c.note(kind, sum.Sum(nil), name)
	return nil
}

// note adds an entry to the digest.
func (c *copying) note(kind byte, sum []byte, name string) {
	fmt.Fprintf(c.digest, "%c %x %q\n", kind, sum, name)
}

// counted counts what is read.
type counted struct {
	from io.Reader
	n    units.Bytes
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += units.Bytes(n)
	return n, err
}
