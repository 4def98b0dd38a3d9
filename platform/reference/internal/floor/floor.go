//go:build linux

// Package floor owns the least that a function can take on this machine: it is
// started and polled by a loop that does nothing else.
//
// In: a folder with a Go function's executable. Out: a [Loop] that starts it
// and hands it payloads. It has no limits, no log, no deadline, no way to
// fail gracefully and one function at a time; it is what the runtime's own
// overhead is measured against.
package floor

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Loop is a bare Runtime API loop. It is not safe for concurrent use.
type Loop struct {
	folder   string
	listener net.Listener
	null     *os.File
	conn     net.Conn
	in       *bufio.Reader
	pid      int
}

// New makes a loop for the function in folder.
func New(folder string) (*Loop, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		listener.Close()
		return nil, err
	}
	return &Loop{folder: folder, listener: listener, null: null}, nil
}

// Start forks, executes and reads the first poll.
func (l *Loop) Start() error {
	path := filepath.Join(l.folder, "bootstrap")
	pid, err := syscall.ForkExec(path, []string{path}, &syscall.ProcAttr{
		Dir:   l.folder,
		Env:   []string{"AWS_LAMBDA_RUNTIME_API=" + l.listener.Addr().String()},
		Files: []uintptr{l.null.Fd(), l.null.Fd(), l.null.Fd()},
	})
	if err != nil {
		return err
	}
	l.pid = pid
	return l.Await()
}

// Addr is where a function polls; one that Start did not start is told it by
// whoever does.
func (l *Loop) Addr() string { return l.listener.Addr().String() }

// Await reads the first poll.
func (l *Loop) Await() (err error) {
	if l.conn, err = l.listener.Accept(); err != nil {
		return err
	}
	l.in = bufio.NewReader(l.conn)
	_, err = l.request()
	return err
}

// Invoke answers the poll that was read, with payload, and gives the response.
func (l *Loop) Invoke(payload string) ([]byte, error) {
	err := l.write("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nContent-Length: " +
		strconv.Itoa(len(payload)) + "\r\n\r\n" + payload)
	if err != nil {
		return nil, err
	}
	return l.request()
}

// Next accepts the response and reads the next poll, which no caller waits for.
func (l *Loop) Next() error {
	if err := l.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"); err != nil {
		return err
	}
	_, err := l.request()
	return err
}

// End kills the function, where Start has started it.
func (l *Loop) End() {
	if l.pid > 0 {
		_ = syscall.Kill(l.pid, syscall.SIGKILL)
		var status syscall.WaitStatus
		_, _ = syscall.Wait4(l.pid, &status, 0, nil)
		l.pid = 0
	}
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// Close ends the loop.
func (l *Loop) Close() {
	l.listener.Close()
	l.null.Close()
}

func (l *Loop) write(s string) error {
	_, err := io.WriteString(l.conn, s)
	return err
}

// request reads one request and gives its body.
func (l *Loop) request() ([]byte, error) {
	length := 0
	for {
		line, err := l.in.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("read the function's request: %w", err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(value))
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(l.in, body)
	return body, err
}
