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

// log takes what an instance writes to stdout and stderr, which share one
// pipe so that their order is kept. It reads all the time, so a function that
// floods it never blocks, and keeps only the end.
type log struct {
	file *os.File
	raw  syscall.RawConn
	loop sync.WaitGroup

	mu   sync.Mutex
	tail sandbox.Tail
}

// newLog gives a log and the descriptor to write to, which the caller closes.
func newLog(keep int) (*log, int, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, -1, fmt.Errorf("make log pipe: %w", err)
	}
	// Only the reading end: the function's writes have to block as on any pipe.
	if err := unix.SetNonblock(ends[0], true); err != nil {
		_ = unix.Close(ends[0])
		_ = unix.Close(ends[1])
		return nil, -1, fmt.Errorf("make log pipe: %w", err)
	}
	l := &log{file: os.NewFile(uintptr(ends[0]), "log"), tail: sandbox.NewTail(keep)}
	raw, err := l.file.SyscallConn()
	if err != nil {
		_ = l.file.Close()
		_ = unix.Close(ends[1])
		return nil, -1, fmt.Errorf("make log pipe: %w", err)
	}
	l.raw = raw
	l.loop.Go(func() { _ = raw.Read(l.follow) }) // ends with the pipe or with close
	return l, ends[1], nil
}

// follow reads what is there; true at the pipe's end.
func (l *log) follow(fd uintptr) bool {
	for {
		n, err := l.read(fd)
		if n == 0 && err == nil {
			return true
		}
		if err != nil {
			return err != unix.EAGAIN
		}
	}
}

// read moves one buffer from the pipe into the tail.
func (l *log) read(fd uintptr) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var buf [4 << 10]byte
	for {
		// Most invocations print nothing, and all are asked: a call that never
		// blocks is not worth telling the scheduler of, see package socket.
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&buf)), uintptr(len(buf)))
		switch errno {
		case 0:
			l.tail.Append(buf[:n])
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// take gives the end of what was written since the last take, with all that
// was written before this call.
func (l *log) take() []byte {
	_ = l.raw.Control(func(fd uintptr) {
		for got := 0; got < pipeRoom; {
			n, err := l.read(fd)
			if n <= 0 || err != nil {
				return
			}
			got += n
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.Take()
}

// seed puts what an earlier attempt wrote before what this one will write.
func (l *log) seed(earlier []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail.Append(earlier)
}

func (l *log) close() {
	_ = l.file.Close()
	l.loop.Wait()
}
