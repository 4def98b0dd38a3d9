package cli

import (
	"io/fs"
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
	key     string // without it in X-Api-Key nobody is let in; "" for none
	mu      sync.Mutex
	methods map[string]int
}

func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.methods[r.Method]++
	s.mu.Unlock()
	if s.key != "" && r.Header.Get("X-Api-Key") != s.key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = w.Write([]byte("hello\n"))
}

type strangerKey struct{}

// startServer puts a server up for the rest of the script, its address into $URL
// and its host into $HOST. It may want a key: server KEY.
func startServer(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(strangerKey{}).(*stranger)
	s.key = strings.Join(args, "")
	server := httptest.NewServer(s)
	ts.Defer(server.Close)
	ts.Setenv("URL", server.URL)
	ts.Setenv("HOST", server.Listener.Addr().String())
}

// keptNowhere wants a folder with files, and texts in none of them: nowhere runs word other.
func keptNowhere(ts *testscript.TestScript, _ bool, args []string) {
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for _, word := range args[1:] {
			if strings.Contains(string(text), word) {
				ts.Fatalf("%s holds %s", path, word)
			}
		}
		return err
	}))
	if files == 0 {
		ts.Fatalf("%s holds no files", args[0])
	}
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
