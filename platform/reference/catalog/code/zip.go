package code

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// AddZip stores an archive's files and holds them. A file is executable here
// if it is for anybody in the archive, and readable for all.
func (s *Store) AddZip(archive []byte) (Package, error) {
	size := units.Bytes(len(archive))
	if size > s.limits.Zip {
		return Package{}, &Refusal{Why: fmt.Sprintf("the archive has %d bytes, at most %d", size, s.limits.Zip), Size: s.limits.Zip}
	}
	d := digest(sha256.Sum256(archive))
	if p, there, err := s.held(d, size); there || err != nil {
		return p, err
	}
	list, err := s.limits.read(archive)
	if err != nil {
		return Package{}, err
	}
	dir, err := s.stage(list.extract)
	if err != nil {
		return Package{}, err
	}
	return s.install(d, size, dir)
}

// contents are an archive's entries, checked as far as they can be unopened.
type contents struct {
	folders map[string]bool // those that are implied by other names too
	files   map[string]*zip.File
	links   map[string]*zip.File
}

// longestLink is Linux's bound of a symbolic link's target, in bytes.
const longestLink = 4095

// The general purpose bits of an entry that say that it is encrypted, in parts
// or whole (APPNOTE.TXT 4.4.4).
const encrypted = 1<<0 | 1<<6 | 1<<13

// listed begins what an archive says of an entry in its central directory
// (APPNOTE.TXT 4.3.12).
const listed = "PK\x01\x02"

func (l *Limits) read(archive []byte) (*contents, error) {
	// archive/zip reads the whole directory, of a million entries in 50 MB,
	// whatever count the archive tells. Twice: an archive in the archive is
	// seen too where it is stored as it is.
	if bytes.Count(archive, []byte(listed)) > 2*l.Files {
		return nil, l.tooMany()
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, &Refusal{Why: "it is not a zip archive: " + err.Error()}
	}
	if len(r.File) == 0 {
		return nil, &Refusal{Why: "the archive is empty"}
	}
	c := &contents{folders: make(map[string]bool), files: make(map[string]*zip.File), links: make(map[string]*zip.File)}
	var total uint64
	for _, f := range r.File {
		if total, err = c.take(l, f, total); err != nil {
			return nil, err
		}
	}
	for name := range c.folders {
		if c.files[name] != nil || c.links[name] != nil {
			return nil, refuse(name, "it is a file and a folder")
		}
	}
	return c, nil
}

// take checks an entry and adds it; total is the size of those before.
func (c *contents) take(l *Limits, f *zip.File, total uint64) (uint64, error) {
	name, err := l.entryName(f.Name)
	if err != nil {
		return 0, err
	}
	if f.Flags&encrypted != 0 {
		return 0, refuse(f.Name, "it is encrypted")
	}
	if f.Method != zip.Store && f.Method != zip.Deflate {
		return 0, refuse(f.Name, "its compression method %d is neither stored nor deflated", f.Method)
	}
	if c.files[name] != nil || c.links[name] != nil {
		return 0, refuse(f.Name, "the name is there twice")
	}
	limit := uint64(l.Unzipped)
	if f.UncompressedSize64 > limit-total {
		return 0, l.tooBig(f.Name)
	}
	switch kind := f.Mode().Type(); {
	case kind == fs.ModeDir && f.UncompressedSize64 == 0:
		c.folders[name] = true
	case name == ".":
		return 0, refuse(f.Name, "it names no file")
	case kind == 0:
		c.files[name] = f
	case kind == fs.ModeSymlink && f.UncompressedSize64 <= longestLink:
		c.links[name] = f
	default:
		return 0, refuse(f.Name, "it is neither a file nor a folder nor a link (mode %v)", f.Mode())
	}
	for parent := path.Dir(name); !c.folders[parent]; parent = path.Dir(parent) {
		c.folders[parent] = true
	}
	if n := len(c.files) + len(c.folders) + len(c.links); n > l.Files {
		return 0, l.tooMany()
	}
	return total + f.UncompressedSize64, nil
}

func (l *Limits) tooMany() *Refusal {
	return &Refusal{Why: fmt.Sprintf("the archive has more than %d files and folders", l.Files)}
}

func (l *Limits) tooBig(name string) *Refusal {
	return &Refusal{Name: name, Why: fmt.Sprintf("with it the files exceed %d bytes", l.Unzipped), Size: l.Unzipped}
}

// longestName and longestPath bound a file's name and a path within a package,
// in bytes: Linux's NAME_MAX, and a quarter of its PATH_MAX, the rest of which
// is left to where the package lies.
const longestName, longestPath = 255, 1024

// entryName gives an entry's path, cleaned of "." and empty elements, or says
// why it is not one that everybody reads alike.
func (l *Limits) entryName(raw string) (string, error) {
	switch {
	case raw == "":
		return "", refuse(raw, "it has no name")
	case !utf8.ValidString(raw):
		return "", refuse(raw, "its name is not UTF-8")
	case strings.ContainsAny(raw, "\x00\\"):
		return "", refuse(raw, "its name has a backslash or a NUL in it")
	case raw[0] == '/':
		return "", refuse(raw, "its name is absolute")
	case len(raw) > longestPath:
		return "", refuse(raw, "its name has more than %d bytes", longestPath)
	}
	depth := 0
	for element := range strings.SplitSeq(raw, "/") {
		switch {
		case element == "..":
			return "", refuse(raw, "its name climbs out of its folder")
		case len(element) > longestName:
			return "", refuse(raw, "its name has an element of more than %d bytes", longestName)
		case element != "" && element != ".":
			depth++
		}
	}
	if depth > l.Depth {
		return "", refuse(raw, "it is more than %d folders deep", l.Depth)
	}
	name := path.Clean(raw)
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", refuse(raw, "its name is reserved on this system")
	}
	return name, nil
}
