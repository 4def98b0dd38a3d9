// Package whole owns that files are whole. Readers of one that it makes see the
// old content or the new, never a part, whoever else writes it at the same time
// and wherever the writer is stopped; of one that came here in another way and
// is a part or something else, it says where that shows.
//
// In: a path and what is to stand there; a document's text. Out: the file, on the
// disk; the document, or what is wrong with its text and where. It makes no
// folders and keeps nothing.
package whole

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces the file at path, or makes it.
func Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // there only after an error
	if err := errors.Join(write(f), f.Chmod(perm), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Bytes is Write for what is there already.
func Bytes(path string, perm fs.FileMode, content []byte) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// JSON is Write for a document that people read too.
func JSON(path string, v any) error {
	content, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return Bytes(path, 0o644, append(content, '\n'))
}
