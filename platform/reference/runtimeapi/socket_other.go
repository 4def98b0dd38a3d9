//go:build !linux

package runtimeapi

import "net"

func deferAccept(uintptr) {}

func backlog(net.Listener) bool { return false }

func silent(net.Conn) bool { return true }
