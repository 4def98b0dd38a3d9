// Package bundle owns functions' code as zip archives, for platforms that take it so.
//
// In: a folder, and files that a platform wants beside it. Out: the archive. The
// same files give the same bytes. It knows no platform's own files, and no limit.
package bundle

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
)

// Zip is a folder as an archive, under a path in it ("" is its root), with
// further files by their paths. Times are left out, so that a digest tells code
// from code.
func Zip(folder, under string, further map[string][]byte) ([]byte, error) {
	var text bytes.Buffer
	z := zip.NewWriter(&text)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("zip %s: %w", folder, err)
	}
	defer root.Close()
	for _, name := range slices.Sorted(maps.Keys(further)) {
		if err == nil {
			err = add(z, name, 0o644, bytes.NewReader(further[name]))
		}
	}
	if err == nil {
		err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return addFile(z, path.Join(under, name), root, name)
		})
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("zip %s: %w", folder, err)
	}
	return text.Bytes(), nil
}

// addFile adds a file that is in root; a link out of it is refused.
func addFile(z *zip.Writer, as string, root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is neither a file nor a folder", name)
	}
	// The platform's user is not ours: what we may read or execute everybody may.
	mode := fs.FileMode(0o644)
	if info.Mode().Perm()&0o100 != 0 {
		mode = 0o755
	}
	return add(z, as, mode, f)
}

func add(z *zip.Writer, as string, mode fs.FileMode, content io.Reader) error {
	header := &zip.FileHeader{Name: as, Method: zip.Deflate}
	header.SetMode(mode)
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, content)
	return err
}
