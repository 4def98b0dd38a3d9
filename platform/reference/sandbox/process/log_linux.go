package process

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// pipeRoom is what a pipe holds by default. More than that cannot have been
// written before the moment at which a drain begins.
const pipeRoom = 64 << 10

// pipe takes what an instance writes to stdout and stderr, which share it so
// that their order is kept. It is read all the time, so a function that floods it
// never blocks.
type pipe struct {
	in   *os.File
	raw  syscall.RawConn
	out  int // to be written to
	loop sync.WaitGroup

	mu  sync.Mutex
	log *log // gets what is read; nil: nobody does
	// Where it is read to: on the stack it would be most of who reads it.
	buf [4 << 10]byte
}

// log is the end of what one process writes to a pipe.
type log struct {
	pipe *pipe
	tail sandbox.Tail // guarded by the pipe's mu
}

func newPipe() (*pipe, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("make log pipe: %w", err)
	}
	// Only the reading end: the function's writes have to block as on any pipe.
	if err := unix.SetNonblock(ends[0], true); err != nil {
		_ = unix.Close(ends[0])
		_ = unix.Close(ends[1])
		return nil, fmt.Errorf("make log pipe: %w", err)
	}
	p := &pipe{in: os.NewFile(uintptr(ends[0]), "log"), out: ends[1]}
	raw, err := p.in.SyscallConn()
	if err != nil {
		_ = p.in.Close()
		_ = unix.Close(p.out)
		return nil, fmt.Errorf("make log pipe: %w", err)
	}
	p.raw = raw
	p.loop.Go(func() { _ = raw.Read(p.follow) }) // ends with close
	return p, nil
}

// begin gives the log of the next process, which keeps so many bytes.
func (p *pipe) begin(keep int) *log {
	l := &log{pipe: p, tail: sandbox.NewTail(keep)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = l
	return l
}

// follow reads what is there.
func (p *pipe) follow(fd uintptr) bool {
	for {
		p.mu.Lock()
		n, err := p.read(fd)
		p.mu.Unlock()
		if n <= 0 || err != nil {
			return err != unix.EAGAIN
		}
	}
}

// read moves one buffer from the pipe into the log. The caller holds mu.
func (p *pipe) read(fd uintptr) (int, error) {
	for {
		// Most invocations print nothing, and all are asked: a call that never
		// blocks is not worth telling the scheduler of, see package socket.
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&p.buf)), uintptr(len(p.buf)))
		switch errno {
		case 0:
			if p.log != nil {
				p.log.tail.Append(p.buf[:n])
			}
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

func (p *pipe) close() {
	_ = p.in.Close()
	p.loop.Wait()
	_ = unix.Close(p.out)
}

// take gives the end of what was written since the last take, with all that
// was written before this call.
func (l *log) take() []byte {
	l.pipe.mu.Lock()
	defer l.pipe.mu.Unlock()
	l.drain()
	return l.tail.Take()
}

// drain reads what is there, if it is still this log's. The caller holds the
// pipe's mu.
func (l *log) drain() {
	if l.pipe.log != l {
		return
	}
	_ = l.pipe.raw.Control(func(fd uintptr) {
		for got := 0; got < pipeRoom; {
			n, err := l.pipe.read(fd)
			if n <= 0 || err != nil {
				return
			}
			got += n
		}
	})
}

// seed puts what an earlier attempt wrote before what this one will write.
func (l *log) seed(earlier []byte) {
	l.pipe.mu.Lock()
	defer l.pipe.mu.Unlock()
	l.tail.Append(earlier)
}

// end takes what is left in the pipe, which nobody writes to any more, and
// gives the pipe back.
func (l *log) end() *pipe {
	l.pipe.mu.Lock()
	defer l.pipe.mu.Unlock()
	l.drain()
	l.pipe.log = nil
	return l.pipe
}
