package namespace

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace/stage"
)

// root makes the file system that a function sees, with the host's at /.host
// until the function's own part of it is known.
func (w *walls) root(s *script) {
	// What is unmounted outside is to go here too, and nothing the other way.
	s.Call("be told of unmounts", unix.SYS_MOUNT, stage.Of(0), s.String("/"), stage.Of(0), stage.Of(unix.MS_REC|unix.MS_SLAVE), stage.Of(0))
	// Any folder would do; this one is always there.
	s.mount("tmpfs", "/proc", unix.MS_NOSUID|unix.MS_NODEV, "size=1m,nr_inodes=1k,mode=755")
	s.mkdir("/proc" + host)
	s.Call("change the root", unix.SYS_PIVOT_ROOT, s.String("/proc"), s.String("/proc"+host))
	s.Call("change to the root", unix.SYS_CHDIR, s.String("/"))
	for _, folder := range []string{"/usr", "/etc", "/etc/ssl", "/dev", "/proc", "/tmp", "/var", codeFolder, clientsFolder, "/opt"} {
		s.mkdir(folder)
	}
	w.system(s)
	w.etc(s)
	devices(s)
	s.mount("tmpfs", "/tmp", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
	if w.clients != "" {
		s.bindReadOnly(host+w.clients, clientsFolder)
	}
}

// system shows the host's programs and libraries.
func (w *walls) system(s *script) {
	s.bindReadOnly(host+"/usr", "/usr")
	for _, folder := range []string{"/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"} {
		if target, err := os.Readlink(folder); err == nil {
			s.link(target, folder)
		} else if _, err := os.Stat(folder); err == nil {
			s.mkdir(folder)
			s.bindReadOnly(host+folder, folder)
		}
	}
}

// etc makes the few files that libraries look for; of the host's it shows only
// what tells the dynamic linker and TLS where things are.
func (w *walls) etc(s *script) {
	s.file("/etc/passwd", "root:x:0:0:root:/:/bin/false\nfunction:x:1000:1000:function:/tmp:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n")
	s.file("/etc/group", "root:x:0:\nfunction:x:1000:\nnogroup:x:65534:\n")
	s.file("/etc/hosts", "127.0.0.1 localhost function\n::1 localhost\n")
	s.file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
	s.file("/etc/resolv.conf", "")
	for _, path := range []string{"/etc/ld.so.cache", "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted"} {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		s.folders(filepath.Dir(path))
		if info.IsDir() {
			s.mkdir(path)
		} else {
			s.file(path, "")
		}
		s.bindReadOnly(host+path, path)
	}
}

// devices shows those that are no part of the machine.
func devices(s *script) {
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		path := "/dev/" + name
		s.file(path, "")
		s.bind(host+path, path)
		s.fix(path, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC, false)
	}
	s.link("/proc/self/fd", "/dev/fd")
	for i, name := range []string{"stdin", "stdout", "stderr"} {
		s.link("/proc/self/fd/"+string(rune('0'+i)), "/dev/"+name)
	}
}

// proc mounts the cell's own, where another user's processes do not show, and
// hides in it what is the machine's.
func (w *walls) proc(s *script) {
	s.mount("proc", "/proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "hidepid=2")
	for _, path := range w.hidden.files {
		s.bind("/dev/null", path)
	}
	for _, path := range w.hidden.folders {
		s.mount("tmpfs", path, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "size=4k,nr_inodes=2")
	}
	for _, path := range w.hidden.fixed {
		s.bind(path, path)
		s.fix(path, unix.MOUNT_ATTR_RDONLY, true)
	}
}
