//go:build unix

package sigv4

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// private says why somebody else could read or change a file.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("mode %#o lets others at the secrets: chmod 600", mode)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Uid != 0 && int(s.Uid) != os.Geteuid() {
		return fmt.Errorf("belongs to uid %d, who could change it", s.Uid)
	}
	return nil
}
