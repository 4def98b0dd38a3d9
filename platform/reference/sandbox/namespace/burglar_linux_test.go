package namespace_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/google/go-cmp/cmp"
)

// burgle has an instance try something.
func burgle(t *testing.T, in sandbox.Instance, try, on string) string {
	t.Helper()
	payload, err := json.Marshal(map[string]string{"Try": try, "On": on})
	if err != nil {
		t.Fatal(err)
	}
	r, err := in.Invoke(t.Context(), &sandbox.Invocation{RequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
		Payload: payload, Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatalf("%s %s: %v", try, on, err)
	}
	var said string
	if err := json.Unmarshal(r.Body, &said); err != nil || r.FunctionError != "" {
		t.Fatalf("%s %s: %s %s", try, on, r.FunctionError, r.Body)
	}
	return said
}

// burglar is a running instance that tries things.
func burglar(t *testing.T, change func(*sandbox.Spec)) sandbox.Instance {
	t.Helper()
	s := open(t, namespace.Options{})
	shop := spec(t)
	shop.Function.Code = burglarCode
	shop.Timeout = time.Minute
	if change != nil {
		change(shop)
	}
	return ready(t, s, shop)
}

// refused wants attempts to fail for a reason.
func refused(t *testing.T, in sandbox.Instance, try, why string, on ...string) {
	t.Helper()
	for _, what := range on {
		if got := burgle(t, in, try, what); !strings.HasPrefix(got, "failed: ") || !strings.HasSuffix(got, why) {
			t.Errorf("%s %s: got %q, want a failure: %s", try, what, got, why)
		}
	}
}

func TestHostFilesAreNotThere(t *testing.T) {
	in := burglar(t, nil)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("ours"), 0o644); err != nil {
		t.Fatal(err)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	refused(t, in, "read", "no such file or directory", secret, own, "/etc/shadow", "/etc/machine-id", "/root/.profile", "/var/log/lastlog",
		"/proc/1/root"+secret, "/.host"+secret, "/sys/kernel/notes", "/dev/kmsg", "/dev/mem", "/dev/sda", "/run/docker.sock")
	want := "bin dev etc lib lib64 opt proc sbin tmp usr var"
	var got []string
	for name := range strings.FieldsSeq(burgle(t, in, "list", "/")) {
		if name != "lib32" && name != "libx32" {
			got = append(got, name)
		}
	}
	if strings.Join(got, " ") != want {
		t.Errorf("/ holds %q, want %q", got, want)
	}
	for folder, want := range map[string]string{"/tmp": "", "/var": "runtime task", "/var/task": "bootstrap", "/opt": "",
		"/dev": "fd full null random stderr stdin stdout urandom zero"} {
		if got := burgle(t, in, "list", folder); got != want {
			t.Errorf("%s holds %q, want %q", folder, got, want)
		}
	}
	for _, masked := range []string{"/proc/kcore", "/proc/keys", "/proc/timer_list"} {
		if got := burgle(t, in, "read", masked); got != "" && !strings.HasPrefix(got, "failed: ") {
			t.Errorf("%s can be read: %d bytes", masked, len(got))
		}
	}
}

func TestNothingButTmpCanBeWritten(t *testing.T) {
	in := burglar(t, nil)
	refused(t, in, "write", "read-only file system", "/file", "/var/task/bootstrap", "/var/task/file", "/usr/bin/file", "/etc/passwd", "/dev/file", "/var/file",
		"/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches")
	if got := burgle(t, in, "write", "/tmp/file"); got != "written" {
		t.Errorf("/tmp: got %q", got)
	}
	refused(t, in, "device", "operation not permitted", "/tmp/device")
}

func TestOtherProcessesAreNotSeen(t *testing.T) {
	in := burglar(t, nil)
	if got := burgle(t, in, "processes", ""); got != "2:bootstrap" {
		t.Errorf("got processes %q, want only itself", got)
	}
	refused(t, in, "signal", "no such process", strconv.Itoa(os.Getpid()), strconv.Itoa(os.Getppid()))
	burgle(t, in, "signal", "1") // sent, and not heard
	if got := burgle(t, in, "processes", ""); got != "2:bootstrap" {
		t.Errorf("got processes %q after a signal to the first", got)
	}
	refused(t, in, "list", "no such file or directory", "/proc/1/fd", "/proc/"+strconv.Itoa(os.Getpid()))
}

func TestNoRights(t *testing.T) {
	in := burglar(t, nil)
	status := map[string]string{}
	for line := range strings.Lines(burgle(t, in, "read", "/proc/self/status")) {
		name, value, _ := strings.Cut(line, ":")
		status[name] = strings.Join(strings.Fields(value), " ")
	}
	none := "0000000000000000"
	want := map[string]string{"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1", "Seccomp": "2",
		"Uid": "1000 1000 1000 1000", "Gid": "1000 1000 1000 1000"}
	for name, value := range want {
		if status[name] != value {
			t.Errorf("%s is %q, want %q", name, status[name], value)
		}
	}
	if os.Geteuid() == 0 && status["Groups"] != "" {
		t.Errorf("it is in groups %q", status["Groups"])
	}
	refused(t, in, "call", "operation not permitted", "mount", "umount", "chroot", "ptrace", "unshare user", "unshare net", "keyctl", "bpf",
		"setgroups", "sethostname", "remount", "vsock", "raw socket", "io_uring")
	refused(t, in, "call", "invalid argument", "setuid") // there is no root to become
	outside := strings.Fields(burgle(t, in, "read", "/proc/self/uid_map"))
	if len(outside) != 3 || outside[0] != "1000" || outside[1] == "0" || outside[2] != "1" {
		t.Errorf("users are mapped as %q, want one that is not root", outside)
	}
}

func TestNoNetworkButItsOwn(t *testing.T) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	abstract := "@coldcurve-test-" + strconv.Itoa(os.Getpid())
	unix, err := net.Listen("unix", abstract)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	in := burglar(t, nil)
	refused(t, in, "dial", "connection refused", tcp.Addr().String(), abstract)
	refused(t, in, "dial", "network is unreachable", "192.0.2.1:80", "169.254.169.254:80")
	interfaces := burgle(t, in, "list", "/proc/self/net/dev_snmp6")
	if interfaces != "lo" && !strings.HasPrefix(interfaces, "failed: ") { // without IPv6
		t.Errorf("got interfaces %q, want lo", interfaces)
	}
	if got := burgle(t, in, "dial", "127.0.0.1:9001"); got != "connected" {
		t.Errorf("the Runtime API: %q", got)
	}
}

func TestTmp(t *testing.T) {
	const size = 8 << 20
	in := burglar(t, func(s *sandbox.Spec) { s.Storage = size })
	other := burglar(t, func(s *sandbox.Spec) { s.Storage = size })
	if got, want := burgle(t, in, "fill", "/tmp"), strconv.Itoa(size)+" no space left on device"; got != want {
		t.Errorf("filled with %q, want %q", got, want)
	}
	if got := burgle(t, other, "list", "/tmp"); got != "" {
		t.Errorf("another instance sees %q in /tmp", got)
	}
	refused(t, in, "fill", "read-only file system", "/", "/dev")
}

func TestForkBombIsBounded(t *testing.T) {
	in := burglar(t, func(s *sandbox.Spec) { s.Memory = 1 << 30 })
	got := burgle(t, in, "bomb", "")
	n, err := strconv.Atoi(strings.Fields(got)[0])
	if err != nil || n < 500 || n >= 1024 || !strings.Contains(got, "resource temporarily unavailable") {
		t.Errorf("the bomb made %s, want an end below 1024", got)
	}
	if err := in.Stop(false); err != nil {
		t.Error(err)
	}
}

func TestEnvironmentIsItsOwn(t *testing.T) {
	t.Setenv("COLDCURVE_SECRET", "ours")
	in := burglar(t, func(s *sandbox.Spec) { s.Function.Env = map[string]string{"GREETING": "hi"} })
	var names []string
	for pair := range strings.Lines(burgle(t, in, "environment", "")) {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	want := []string{"AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GREETING", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "LANG", "PATH", "TZ", "_HANDLER"}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "_X_AMZN_TRACE_ID" }) // the AWS library's own
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}
