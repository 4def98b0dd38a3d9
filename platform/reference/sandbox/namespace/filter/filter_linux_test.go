package filter

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// evaluate is the kernel's machine, as far as filters need it.
func evaluate(t *testing.T, program []unix.SockFilter, arch, number uint32, args ...uint64) uint32 {
	t.Helper()
	read := func(offset uint32) uint32 {
		switch offset {
		case offNumber:
			return number
		case offArch:
			return arch
		}
		i := (offset - offArguments) / 8
		if int(i) >= len(args) {
			return 0
		}
		return uint32(args[i] >> (8 * (offset % 8)))
	}
	var a uint32
	for at := 0; ; at++ {
		in := program[at]
		switch in.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = read(in.K)
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= in.K
		case unix.BPF_RET | unix.BPF_K:
			return in.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			holds := map[uint16]bool{unix.BPF_JEQ: a == in.K, unix.BPF_JGE: a >= in.K, unix.BPF_JGT: a > in.K}[in.Code&0xf0]
			if holds {
				at += int(in.Jt)
			} else {
				at += int(in.Jf)
			}
		default:
			t.Fatalf("instruction %d has code %#x", at, in.Code)
		}
	}
}

func TestWhatIsAllowed(t *testing.T) {
	const (
		allow  = unix.SECCOMP_RET_ALLOW
		eperm  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		enosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	for arch, audit := range map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64} {
		program, err := Default(arch)
		if err != nil {
			t.Fatal(err)
		}
		if len(program) > 4096 {
			t.Errorf("%s: %d instructions, more than the kernel takes", arch, len(program))
		}
		known, err := table(arch)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			call string
			want uint32
			args []uint64
		}{
			{"read", allow, nil}, {"write", allow, nil}, {"execve", allow, nil}, {"futex", allow, nil}, {"openat", allow, nil},
			{"newfstatat", allow, nil}, {"epoll_pwait", allow, nil}, {"mmap", allow, nil}, {"exit_group", allow, nil}, {"statx", allow, nil},
			{"clone", allow, []uint64{unix.CLONE_VM | unix.CLONE_THREAD}},
			{"clone", eperm, []uint64{unix.CLONE_NEWUSER}}, {"clone", eperm, []uint64{unix.CLONE_VM | unix.CLONE_NEWNET}},
			{"clone3", enosys, nil},
			{"socket", allow, []uint64{unix.AF_INET}}, {"socket", allow, []uint64{unix.AF_UNIX}},
			{"socket", eperm, []uint64{unix.AF_VSOCK}}, {"socket", eperm, []uint64{unix.AF_ALG}},
			{"socket", eperm, []uint64{1<<32 | unix.AF_VSOCK}}, // the kernel takes an int
			{"personality", allow, []uint64{0xffffffff}}, {"personality", eperm, []uint64{0x0040000}},
			{"mount", eperm, nil}, {"umount2", eperm, nil}, {"pivot_root", eperm, nil}, {"open_tree", eperm, nil}, {"move_mount", eperm, nil},
			{"fsopen", eperm, nil}, {"mount_setattr", eperm, nil}, {"chroot", eperm, nil},
			{"ptrace", eperm, nil}, {"process_vm_readv", eperm, nil}, {"process_vm_writev", eperm, nil}, {"pidfd_getfd", eperm, nil}, {"kcmp", eperm, nil},
			{"unshare", eperm, nil}, {"setns", eperm, nil}, {"bpf", eperm, nil}, {"perf_event_open", eperm, nil},
			{"keyctl", eperm, nil}, {"add_key", eperm, nil}, {"request_key", eperm, nil},
			{"io_uring_setup", eperm, nil}, {"userfaultfd", eperm, nil}, {"init_module", eperm, nil}, {"finit_module", eperm, nil},
			{"kexec_load", eperm, nil}, {"reboot", eperm, nil}, {"settimeofday", eperm, nil}, {"syslog", eperm, nil}, {"open_by_handle_at", eperm, nil},
			{"swapon", eperm, nil}, {"acct", eperm, nil}, {"quotactl", eperm, nil},
		} {
			n, ok := known[tt.call]
			if !ok {
				t.Errorf("%s: there is no number for %s", arch, tt.call)
				continue
			}
			if got := evaluate(t, program, audit, n, tt.args...); got != tt.want {
				t.Errorf("%s: %s%v gives %#x, want %#x", arch, tt.call, tt.args, got, tt.want)
			}
		}
		for _, number := range []uint32{4095, 1 << 29} {
			if got := evaluate(t, program, audit, number); got != eperm {
				t.Errorf("%s: call %d, which nobody knows, gives %#x", arch, number, got)
			}
		}
		if got := evaluate(t, program, unix.AUDIT_ARCH_I386, 1); got != unix.SECCOMP_RET_KILL_PROCESS {
			t.Errorf("%s: a 32-bit call gives %#x", arch, got)
		}
	}
	amd64, _ := Default("amd64")
	if got := evaluate(t, amd64, unix.AUDIT_ARCH_X86_64, x32|1); got != unix.SECCOMP_RET_KILL_PROCESS {
		t.Errorf("an x32 call gives %#x", got)
	}
}

func TestUnknownProcessor(t *testing.T) {
	if _, err := Default("riscv64"); err == nil || !strings.Contains(err.Error(), "riscv64") {
		t.Errorf("got %v", err)
	}
}

// TestNumbers holds the table against the kernel's numbers in golang.org/x/sys.
func TestNumbers(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^\s+SYS_(\w+)\s+= (\d+)$`)
	for _, arch := range []string{"amd64", "arm64"} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "unix", "zsysnum_linux_"+arch+".go"))
		if err != nil {
			t.Fatal(err)
		}
		known, err := table(arch)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			name := strings.ToLower(m[1])
			if got, ok := known[name]; !ok || strconv.Itoa(int(got)) != m[2] {
				t.Errorf("%s: numbers.txt has %d for %s, want %s", arch, got, name, m[2])
			}
			seen++
		}
		if seen != len(known) {
			t.Errorf("%s: numbers.txt has %d calls, golang.org/x/sys %d", arch, len(known), seen)
		}
	}
}
