package lambda

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// archive is a folder as a deployment package. The same files give the same
// bytes: times are left out, so that Lambda's CodeSha256 tells code from code.
func archive(folder string) ([]byte, error) {
	var text bytes.Buffer
	z := zip.NewWriter(&text)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("zip %s: %w", folder, err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return add(z, root, path)
	})
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("zip %s: %w", folder, err)
	}
	return text.Bytes(), nil
}

// add adds a file that is in root; a link out of it is refused.
func add(z *zip.Writer, root *os.Root, path string) error {
	f, err := root.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is neither a file nor a folder", path)
	}
	header := &zip.FileHeader{Name: filepath.ToSlash(path), Method: zip.Deflate}
	// Lambda's user is not ours: what we may read or execute everybody may.
	header.SetMode(0o644)
	if info.Mode().Perm()&0o100 != 0 {
		header.SetMode(0o755)
	}
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
