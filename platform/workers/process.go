package workers

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
	"github.com/coldcurve/coldcurve/platform/tail"
)

//go:embed js/host.mjs
var host []byte

//go:embed js/shim.mjs
var shim string

// config is what workerd is started with: its own language is Cap'n Proto's.
// The values are a date and letters, and need no quoting.
const config = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "host", worker = .host),
    (name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "host")],
);

const host :Workerd.Worker = (
  modules = [(name = "host.mjs", esModule = embed "host.mjs")],
  compatibilityDate = "` + UsualCompatibility + `",
  compatibilityFlags = ["nodejs_compat"],
  globalOutbound = "network",
  bindings = [
    (name = "LOADER", workerLoader = ()),
    (name = "KEY", text = "%s"),
    (name = "COMPATIBILITY_DATE", text = "%s"),
  ],
);
`

// Open starts workerd and returns when it listens.
func Open(ctx context.Context, o Options) (*Platform, error) {
	if err := o.resolve(); err != nil {
		return nil, err
	}
	program, err := find(o.Program)
	if err != nil {
		return nil, err
	}
	p := &Platform{options: o, program: program, key: rand.Text(), transport: exchange.Transport()}
	// workerd closes connections that were silent for 5 s; a request that is
	// sent in that instant would fail.
	p.transport.IdleConnTimeout = 4 * time.Second
	limited, cancel := context.WithTimeout(ctx, o.Answer)
	defer cancel()
	p.version = version(limited, program)
	if p.process, err = start(limited, program, p.key, o.CompatibilityDate); err != nil {
		if ctx.Err() == nil && limited.Err() != nil {
			err = fmt.Errorf("%s does not say within %s that it listens", program, units.FormatDuration(o.Answer))
		}
		return nil, unready(err, hintInstall)
	}
	return p, nil
}

// version is what the program says of itself; "" where it says nothing.
func version(ctx context.Context, program string) string {
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return line
}

// process is a workerd that runs, or has.
type process struct {
	cmd    *exec.Cmd
	port   int
	log    tail.Tail
	exited chan struct{}
	err    error // of Wait; set before exited is closed
}

// start starts workerd with a configuration that is gone when it has read it.
func start(ctx context.Context, program, key, date string) (*process, error) {
	dir, err := os.MkdirTemp("", "coldcurve-workers-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "config.capnp")
	err = errors.Join(
		os.WriteFile(file, fmt.Appendf(nil, config, key, date), 0o600),
		os.WriteFile(filepath.Join(dir, "host.mjs"), host, 0o600))
	if err != nil {
		return nil, err
	}
	says, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer says.Close()
	p := &process{exited: make(chan struct{})}
	p.cmd = exec.Command(program, "serve", file, "--experimental", "--control-fd=3")
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC"}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.ExtraFiles = []*os.File{tell}
	p.cmd.WaitDelay = time.Second
	err = p.launch()
	tell.Close()
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = says.SetReadDeadline(time.Now()) })
	defer stop()
	if p.port, err = readPort(says); err == nil {
		return p, nil
	}
	if ctx.Err() != nil {
		p.end()
		return nil, context.Cause(ctx)
	}
	select {
	case <-p.exited:
		err = p.ended()
	case <-time.After(time.Second): // it lives, and what it has said is no port
		p.end()
	}
	return nil, err
}

// launch starts the process from a thread that stays until it has ended: its
// end is what the child is killed at, where the system does that.
func (p *process) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := prepare(p.cmd)
		if err == nil {
			err = p.cmd.Start()
		}
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.exited)
		}
	}()
	return <-started
}

// readPort reads workerd's messages until it says on which port it listens.
func readPort(r io.Reader) (int, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var said struct {
			Event  string `json:"event"`
			Socket string `json:"socket"`
			Port   int    `json:"port"`
		}
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			return 0, fmt.Errorf("its message %.60q is not JSON: is it workerd?", lines.Text())
		}
		if said.Event == "listen" && said.Socket == "http" && said.Port > 0 {
			return said.Port, nil
		}
	}
	return 0, errors.New("it does not say on which port it listens: is it workerd?")
}

// address is where it listens.
func (p *process) address() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

// ended says how it went, nil while it lives.
func (p *process) ended() error { return p.await(0) }

// await is ended for a process that may be about to.
func (p *process) await(patience time.Duration) error {
	select {
	case <-p.exited:
	case <-time.After(patience):
	}
	select {
	case <-p.exited:
	default:
		return nil
	}
	end := "exit status 0"
	if p.err != nil {
		end = p.err.Error()
	}
	text := strings.TrimSpace(p.log.String())
	if last := text[strings.LastIndexByte(text, '\n')+1:]; last != "" {
		return fmt.Errorf("workerd ended (%s): %s", end, last)
	}
	return fmt.Errorf("workerd ended (%s)", end)
}

// end kills it and waits: it keeps nothing that it would have to write.
func (p *process) end() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.exited
}
