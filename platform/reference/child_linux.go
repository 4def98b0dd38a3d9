package reference

import "syscall"

// ownGroup keeps a terminal's Ctrl-C from the child: its parent decides when
// it ends.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
