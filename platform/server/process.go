package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/tail"
)

// server is the processes of one function. They end when their lifeline does:
// when close is called, and when this process dies in whatever way.
type server struct {
	function  string
	clock     clock.Monotonic
	started   int64
	ready     int64
	gone      atomic.Int64
	served    atomic.Uint64
	processes []*process
	lifeline  *os.File // writing end
	log       tail.Tail

	closing sync.Once
}

type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of Wait; set before exited is closed
}

func (s *server) name() string {
	return s.function + "-" + strconv.Itoa(s.processes[0].cmd.Process.Pid)
}

// start starts the processes on one socket and waits until all of them accept.
func (s *server) start(ctx context.Context, c command, workers int, listener *net.TCPListener) error {
	socket, err := listener.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	lifeline, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	defer lifeline.Close()
	s.lifeline = hold
	for range max(1, c.each*workers) {
		if err = s.add(ctx, c, workers, socket, lifeline); err != nil {
			return errors.Join(err, s.close(ctx))
		}
	}
	s.ready = s.clock.Now()
	return nil
}

// add starts one process and waits until it accepts.
func (s *server) add(ctx context.Context, c command, workers int, socket, lifeline *os.File) error {
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.ExtraFiles = []*os.File{socket, tell, lifeline}
	cmd.WaitDelay = time.Second
	err = startTied(cmd, workers)
	tell.Close()
	if err != nil {
		return err
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	s.processes = append(s.processes, p)
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Now()) })
	defer stop()
	if _, err := bufio.NewReader(ready).ReadString('\n'); err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("its server does not listen: %w", context.Cause(ctx))
	}
	<-p.exited
	return s.ended()
}

// ended says how the first process that is gone went, nil while all live.
func (s *server) ended() error {
	for _, p := range s.processes {
		select {
		case <-p.exited:
		default:
			continue
		}
		end := "exit status 0"
		if p.err != nil {
			end = p.err.Error()
		}
		if text := strings.TrimSpace(s.log.String()); text != "" {
			return fmt.Errorf("its server ended (%s): %s", end, text)
		}
		return fmt.Errorf("its server ended (%s)", end)
	}
	return nil
}

// close ends the processes and waits. Its error tells of one that had ended
// before, the first time it is called.
func (s *server) close(ctx context.Context) (err error) {
	s.closing.Do(func() {
		err = s.ended()
		_ = s.lifeline.Close()
		for _, p := range s.processes {
			select {
			case <-p.exited:
			case <-ctx.Done():
				err = errors.Join(err, fmt.Errorf("server of %s did not end: %w", s.function, context.Cause(ctx)), p.cmd.Process.Kill())
				<-p.exited
			}
		}
		s.gone.Store(s.clock.Now())
	})
	return err
}
