// Command burglar is a function that tries what a function must not be able
// to, one thing an invocation, and tells what came of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/sys/unix"
)

// attempt is what to try, and on what.
type attempt struct{ Try, On string }

func main() {
	lambda.Start(func(_ context.Context, a attempt) (string, error) {
		try, ok := map[string]func(string) (string, error){
			"read": read, "list": list, "write": write, "dial": dial, "call": call, "processes": processes,
			"fill": fill, "bomb": bomb, "signal": signal, "device": device, "environment": environment,
		}[a.Try]
		if !ok {
			return "", fmt.Errorf("no such attempt: %q", a.Try)
		}
		got, err := try(a.On)
		if err != nil {
			return "failed: " + err.Error(), nil
		}
		return got, nil
	})
}

func read(path string) (string, error) {
	text, err := os.ReadFile(path)
	return string(text), err
}

func list(path string) (string, error) {
	entries, err := os.ReadDir(path)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " "), err
}

func write(path string) (string, error) {
	return "written", os.WriteFile(path, []byte("was here"), 0o600)
}

// dial connects; "@name" is an abstract unix socket.
func dial(address string) (string, error) {
	network := "tcp"
	if strings.HasPrefix(address, "@") {
		network = "unix"
	}
	c, err := net.DialTimeout(network, address, 2*time.Second)
	if err != nil {
		return "", err
	}
	return "connected", c.Close()
}

// call makes a system call that gives a function more than it has.
func call(name string) (string, error) {
	text := func(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s + "\x00"))) }
	calls := map[string][]uintptr{
		"mount":        {unix.SYS_MOUNT, text("tmpfs"), text("/tmp"), text("tmpfs"), 0, 0},
		"umount":       {unix.SYS_UMOUNT2, text("/tmp"), 0},
		"chroot":       {unix.SYS_CHROOT, text("/tmp")},
		"ptrace":       {unix.SYS_PTRACE, unix.PTRACE_TRACEME},
		"unshare user": {unix.SYS_UNSHARE, unix.CLONE_NEWUSER},
		"unshare net":  {unix.SYS_UNSHARE, unix.CLONE_NEWNET},
		"keyctl":       {unix.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, ^uintptr(2), 1}, // KEY_SPEC_SESSION_KEYRING
		"bpf":          {unix.SYS_BPF, 0, 0, 0},
		"setuid":       {unix.SYS_SETUID, 0},
		"setgroups":    {unix.SYS_SETGROUPS, 0, 0},
		"sethostname":  {unix.SYS_SETHOSTNAME, text("mine"), 4},
		"remount":      {unix.SYS_MOUNT, 0, text("/"), 0, unix.MS_REMOUNT | unix.MS_BIND, 0},
		"vsock":        {unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM, 0},
		"raw socket":   {unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP},
		"io_uring":     {unix.SYS_IO_URING_SETUP, 1, text(strings.Repeat("\x00", 120))},
	}
	c, ok := calls[name]
	if !ok {
		return "", errors.New("no such call")
	}
	c = append(c, make([]uintptr, 7-len(c))...)
	if _, _, errno := syscall.Syscall6(c[0], c[1], c[2], c[3], c[4], c[5], c[6]); errno != 0 {
		return "", errno
	}
	return "done", nil
}

// processes are the names of those in /proc.
func processes(string) (string, error) {
	entries, err := os.ReadDir("/proc")
	var found []string
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			name, _ := os.ReadFile("/proc/" + e.Name() + "/comm")
			found = append(found, e.Name()+":"+strings.TrimSpace(string(name)))
		}
	}
	return strings.Join(found, " "), err
}

// fill writes into a folder until it cannot; it tells how much went in, and why
// no more.
func fill(folder string) (string, error) {
	f, err := os.CreateTemp(folder, "fill")
	if err != nil {
		return "", err
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	written := 0
	for written < 1<<30 {
		n, err := f.Write(block)
		written += n
		if err != nil {
			return strconv.Itoa(written) + " " + errors.Unwrap(err).Error(), nil
		}
	}
	return strconv.Itoa(written) + " and no end", nil
}

// bomb starts processes until it cannot, and tells how many.
func bomb(string) (string, error) {
	for n := range 5000 {
		c := exec.Command("/usr/bin/sleep", "60")
		if err := c.Start(); err != nil {
			return strconv.Itoa(n) + " " + err.Error(), nil
		}
	}
	return "5000 and no end", nil
}

// signal kills a process.
func signal(pid string) (string, error) {
	n, err := strconv.Atoi(pid)
	if err != nil {
		return "", err
	}
	return "sent", syscall.Kill(n, syscall.SIGKILL)
}

// device makes one and opens it.
func device(path string) (string, error) {
	if err := syscall.Mknod(path, syscall.S_IFBLK|0o600, 0xfe00); err != nil { // the first virtual disk
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	return "opened", f.Close()
}

func environment(string) (string, error) {
	all := os.Environ()
	slices.Sort(all)
	return strings.Join(all, "\n"), nil
}
