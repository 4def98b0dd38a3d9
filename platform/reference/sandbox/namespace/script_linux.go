package namespace

import (
	"encoding/binary"
	"unsafe"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace/stage"
	"golang.org/x/sys/unix"
)

// script is a stage's, with the calls that a cell needs.
type script struct {
	stage.Script
	made map[string]bool // the folders that the cell has
}

func (s *script) mkdir(path string) {
	if s.made[path] {
		return
	}
	s.made[path] = true
	s.Call("make folder "+path, unix.SYS_MKDIRAT, stage.Of(unix.AT_FDCWD), s.String(path), stage.Of(0o755))
}

// folders makes a folder and those above it.
func (s *script) folders(path string) {
	for i, r := range path {
		if r == '/' && i > 0 {
			s.mkdir(path[:i])
		}
	}
	s.mkdir(path)
}

// file makes a file; descriptor 4 is the first that is free.
func (s *script) file(path, text string) {
	s.Call("make file "+path, unix.SYS_OPENAT, stage.Of(unix.AT_FDCWD), s.String(path), stage.Of(unix.O_WRONLY|unix.O_CREAT), stage.Of(0o644))
	if text != "" {
		s.Call("write file "+path, unix.SYS_WRITE, stage.Of(4), s.Bytes([]byte(text)), stage.Of(len(text)))
	}
	s.Call("close file "+path, unix.SYS_CLOSE, stage.Of(4))
}

func (s *script) link(target, path string) {
	s.Call("make link "+path, unix.SYS_SYMLINKAT, s.String(target), stage.Of(unix.AT_FDCWD), s.String(path))
}

func (s *script) mount(kind, path string, flags uintptr, options string) {
	s.Call("mount "+path, unix.SYS_MOUNT, s.String(kind), s.String(path), s.String(kind), stage.Of(flags), s.String(options))
}

func (s *script) bind(from, to string) {
	s.Call("bind "+to, unix.SYS_MOUNT, s.String(from), s.String(to), stage.Of(0), stage.Of(unix.MS_BIND|unix.MS_REC), stage.Of(0))
}

// fix adds attributes to a mount, and to those below it.
func (s *script) fix(path string, attributes uint64, below bool) {
	flags := 0
	if below {
		flags = unix.AT_RECURSIVE
	}
	attr := s.Words(stage.Of(attributes), stage.Of(0), stage.Of(0), stage.Of(0)) // struct mount_attr
	s.Call("fix "+path, unix.SYS_MOUNT_SETATTR, stage.Of(unix.AT_FDCWD), s.String(path), stage.Of(flags), attr, stage.Of(32))
}

const readOnly = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV

// bindReadOnly shows a file or folder of the host.
func (s *script) bindReadOnly(from, to string) {
	s.bind(from, to)
	s.fix(to, readOnly, true)
}

func (s *script) prctl(what string, option int, value uintptr) {
	s.Call(what, unix.SYS_PRCTL, stage.Of(option), stage.Of(value), stage.Of(0), stage.Of(0), stage.Of(0))
}

// childEnds sets what becomes of children that end: ignored, nobody has to
// wait for them.
func (s *script) childEnds(handler uint64) {
	action := s.Words(stage.Of(handler), stage.Of(0), stage.Of(0), stage.Of(0)) // struct sigaction of the kernel
	s.Call("set SIGCHLD", unix.SYS_RT_SIGACTION, stage.Of(int(unix.SIGCHLD)), action, stage.Of(0), stage.Of(8))
}

const sigIgnore = 1

// noCapabilities gives up all, also for what is executed later.
func (s *script) noCapabilities(last int) {
	for c := 0; c <= last; c++ {
		s.prctl("drop a capability", unix.PR_CAPBSET_DROP, uintptr(c))
	}
	s.capset()
}

func (s *script) capset() {
	header := s.Words(stage.Of(uint64(unix.LINUX_CAPABILITY_VERSION_3))) // and pid 0
	none := s.Words(stage.Of(0), stage.Of(0), stage.Of(0))
	s.Call("drop capabilities", unix.SYS_CAPSET, header, none)
}

func (s *script) limit(resource int, most uint64) {
	s.Call("set a resource limit", unix.SYS_PRLIMIT64, stage.Of(0), stage.Of(resource), s.Words(stage.Of(most), stage.Of(most)), stage.Of(0))
}

// become changes user and group; the rest of the groups goes before.
func (s *script) become(user, group int) {
	s.Call("change the group", unix.SYS_SETRESGID, stage.Of(group), stage.Of(group), stage.Of(group))
	s.Call("change the user", unix.SYS_SETRESUID, stage.Of(user), stage.Of(user), stage.Of(user))
}

// seccomp installs a filter.
func (s *script) seccomp(program []unix.SockFilter) {
	text := unsafe.Slice((*byte)(unsafe.Pointer(&program[0])), len(program)*unix.SizeofSockFilter)
	head := s.Words(stage.Of(len(program)), s.Bytes(text)) // struct sock_fprog
	s.Call("filter system calls", unix.SYS_SECCOMP, stage.Of(unix.SECCOMP_SET_MODE_FILTER), stage.Of(0), head)
}

// loopback brings up the only interface.
func (s *script) loopback() {
	request := make([]byte, 40) // struct ifreq
	copy(request, "lo")
	binary.NativeEndian.PutUint16(request[16:], unix.IFF_UP)
	s.Call("open a socket", unix.SYS_SOCKET, stage.Of(unix.AF_INET), stage.Of(unix.SOCK_DGRAM), stage.Of(0))
	s.Call("bring up loopback", unix.SYS_IOCTL, stage.Of(4), stage.Of(unix.SIOCSIFFLAGS), s.Bytes(request))
	s.Call("close a socket", unix.SYS_CLOSE, stage.Of(4))
}

// listen opens descriptor 4 at the Runtime API's address. TCP_DEFER_ACCEPT is
// runtimeapi.Listen's.
func (s *script) listen() {
	address := []byte{unix.AF_INET, 0, apiPort >> 8, apiPort & 0xff, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	s.Call("open the listener", unix.SYS_SOCKET, stage.Of(unix.AF_INET), stage.Of(unix.SOCK_STREAM|unix.SOCK_NONBLOCK), stage.Of(0))
	s.Call("defer accepting", unix.SYS_SETSOCKOPT, stage.Of(4), stage.Of(unix.IPPROTO_TCP), stage.Of(unix.TCP_DEFER_ACCEPT), s.Words(stage.Of(1)), stage.Of(4))
	s.Call("bind the listener", unix.SYS_BIND, stage.Of(4), s.Bytes(address), stage.Of(len(address)))
	s.Call("listen", unix.SYS_LISTEN, stage.Of(4), stage.Of(1024))
}

// apiPort is the one that Lambda's own environment has.
const apiPort = 9001
