//go:build !linux

package reference

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }
