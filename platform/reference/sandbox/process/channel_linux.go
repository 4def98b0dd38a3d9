package process

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// channel is a socket to a process of ours that keeps messages apart and
// carries descriptors.
type channel struct{ *net.UnixConn }

// newChannel gives both ends; the caller closes theirs once it is handed over.
func newChannel() (ours *channel, theirs *os.File, err error) {
	here, theirs, err := socketpair(unix.SOCK_SEQPACKET)
	if err != nil {
		return nil, nil, err
	}
	defer here.Close() // the connection has a copy
	conn, err := net.FileConn(here)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("make channel: %w", err)
	}
	return &channel{conn.(*net.UnixConn)}, theirs, nil
}

func socketpair(kind int) (ours, theirs *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	return os.NewFile(uintptr(ends[0]), "ours"), os.NewFile(uintptr(ends[1]), "theirs"), nil
}

// send sends a message with descriptors, of which the receiver gets copies.
func (c *channel) send(message []byte, fds ...int) error {
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	if _, _, err := c.WriteMsgUnix(message, unix.UnixRights(fds...), nil); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// receive gives the next message; io.EOF when the other end has gone.
func (c *channel) receive() (string, error) {
	var buf [64]byte
	n, err := c.Read(buf[:])
	if err != nil {
		return "", fmt.Errorf("receive: %w", err)
	}
	return string(buf[:n]), nil
}

// receivePid gives the process id that the next message tells, which is due
// soon.
func (c *channel) receivePid() (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	text, err := c.receive()
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("receive: %q is no process id", text)
	}
	return pid, nil
}
