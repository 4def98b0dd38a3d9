package code

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncTree writes a folder out to its disk: all of the file system in one call,
// where a package may have thousands of files.
func syncTree(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd())))
}

// syncFolder writes a folder's own entries out to its disk.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
