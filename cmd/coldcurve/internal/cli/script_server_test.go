package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// stranger is somebody else's server: it counts what reaches it.
type stranger struct {
	mu      sync.Mutex
	methods map[string]int
}

func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.methods[r.Method]++
	s.mu.Unlock()
	_, _ = w.Write([]byte("hello\n"))
}

type strangerKey struct{}

// startServer puts a server up for the rest of the script and its address into $URL.
func startServer(ts *testscript.TestScript, _ bool, _ []string) {
	s := ts.Value(strangerKey{}).(*stranger)
	server := httptest.NewServer(s)
	ts.Defer(server.Close)
	ts.Setenv("URL", server.URL)
}

// served wants that many requests of that method, and none of another: served 40 GET.
func served(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(strangerKey{}).(*stranger)
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strconv.Itoa(s.methods[args[1]]); got != args[0] || len(s.methods) != 1 {
		ts.Fatalf("the server saw %v, want %s of %s alone", s.methods, args[0], args[1])
	}
}

// noOrphans wants every process that was started in this script's folder or
// by its coldcurve to be gone soon: a killed owner's children need a moment.
func noOrphans(ts *testscript.TestScript, _ bool, _ []string) {
	deadline := time.Now().Add(5 * time.Minute)
	for {
		left := processesOf(ts.Getenv("WORK"))
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("processes left behind: %s", strings.Join(left, "; "))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// processesOf lists the command lines of processes whose environment or
// arguments name the work folder, this process aside.
func processesOf(work string) []string {
	var left []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		if dir == "/proc/"+strconv.Itoa(os.Getpid()) {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if cwd == work || strings.Contains(string(cmdline), work) {
			left = append(left, strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
	return left
}
