package stage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds the wait for a report: what a script does takes
// milliseconds, on a busy machine a thousand of them.
const patience = 30 * time.Second

// Program is the stage's program, ready to be executed.
type Program struct{ file *os.File }

// Load makes the program.
func Load() (*Program, error) {
	if machine == 0 {
		return nil, fmt.Errorf("load the stage: it is written for amd64 and arm64, this is %s", runtime.GOARCH)
	}
	const mayExecute = 0x10 // MFD_EXEC, since Linux 6.3: says so where vm.memfd_noexec asks
	fd, err := unix.MemfdCreate("coldcurve-stage", unix.MFD_CLOEXEC|mayExecute)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate("coldcurve-stage", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("load the stage: %w", err)
	}
	written := os.NewFile(uintptr(fd), "stage")
	defer written.Close()
	if _, err := written.Write(image()); err != nil {
		return nil, fmt.Errorf("load the stage: %w", err)
	}
	// What is open for writing is not executed.
	file, err := os.Open("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return nil, fmt.Errorf("load the stage: %w", err)
	}
	return &Program{file: file}, nil
}

// Close gives the program back. Stages that run are not touched.
func (p *Program) Close() error { return p.file.Close() }

// Stage is a line to processes that execute scripts: the one that was started
// and those that it has forked. Its methods are called by one goroutine at a
// time.
type Stage struct {
	Pid  int // of the process that was started
	line int // our end of the socket; -1 when closed
	sent *Script
}

// Start starts a stage. The files are the first three of its process; attr
// may be changed.
func (p *Program) Start(files [3]uintptr, attr *syscall.SysProcAttr) (*Stage, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("start a stage: %w", err)
	}
	defer unix.Close(ends[1])
	s := &Stage{line: ends[0]}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("start a stage: %w", err), s.Close())
	}
	// The program is among the files because ForkExec may put its own pipe over
	// any descriptor of the child's that is not: some starts failed.
	s.Pid, err = syscall.ForkExec("/proc/self/fd/4", []string{"coldcurve-stage"}, &syscall.ProcAttr{
		Files: append(files[:], uintptr(ends[1]), p.file.Fd()),
		Sys:   attr,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a stage: %w", err), s.Close())
	}
	var first Script
	first.Call("close the program", unix.SYS_CLOSE, Of(4))
	if err := s.Do(&first); err != nil {
		_ = unix.Kill(s.Pid, unix.SIGKILL)
		_, waited := unix.Wait4(s.Pid, nil, 0, nil)
		return nil, errors.Join(fmt.Errorf("start a stage: %w", err), waited, s.Close())
	}
	return s, nil
}

func (s *Stage) prepare() error {
	most := unix.NsecToTimeval(patience.Nanoseconds())
	return errors.Join(
		unix.SetsockoptInt(s.line, unix.SOL_SOCKET, unix.SO_PASSCRED, 1),
		unix.SetsockoptTimeval(s.line, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &most),
		unix.SetsockoptTimeval(s.line, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &most),
	)
}

// Close hangs up. A stage that reads its next script then ends.
func (s *Stage) Close() error {
	if s.line < 0 {
		return nil
	}
	line := s.line
	s.line = -1
	return unix.Close(line)
}

// Error is a call that failed.
type Error struct {
	What  string
	Errno syscall.Errno
}

// Error tells the call and why it failed.
func (e *Error) Error() string { return e.What + ": " + e.Errno.Error() }

// Unwrap gives the errno.
func (e *Error) Unwrap() error { return e.Errno }

// Message is what a stage sent.
type Message struct {
	Pid         int   // who sent it
	Descriptors []int // what came along; the receiver's
	Done        bool  // it is a report: the script was executed
}

// Send gives the stage its next script.
func (s *Stage) Send(script *Script) error {
	text, err := script.encode()
	if err != nil {
		return err
	}
	s.sent = script
	for {
		_, err := unix.SendmsgN(s.line, text, nil, nil, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}

// Await gives the next message: a report that the script was executed, an
// *Error, or what the script itself has sent. Where nobody holds the line any
// more, because the last process has executed a program or ended, it is io.EOF.
func (s *Stage) Await() (Message, error) {
	var report [16]byte
	oob := make([]byte, unix.CmsgSpace(unix.SizeofUcred)+unix.CmsgSpace(8*4))
	for {
		n, oobn, _, _, err := unix.Recvmsg(s.line, report[:], oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return Message{}, fmt.Errorf("no report within %v", patience)
		case err != nil:
			return Message{}, err
		case n == 0:
			return Message{}, io.EOF
		}
		m, err := attachments(oob[:oobn])
		if err != nil {
			return m, err
		}
		m.Done = n == len(report)
		if result := int64(binary.LittleEndian.Uint64(report[:])); m.Done && result < 0 {
			return m, &Error{s.sent.what(binary.LittleEndian.Uint64(report[8:])), syscall.Errno(-result)}
		}
		return m, nil
	}
}

func attachments(oob []byte) (m Message, err error) {
	all, err := unix.ParseSocketControlMessage(oob)
	for _, c := range all {
		switch c.Header.Type {
		case unix.SCM_CREDENTIALS:
			who, err := unix.ParseUnixCredentials(&c)
			if err != nil {
				return m, err
			}
			m.Pid = int(who.Pid)
		case unix.SCM_RIGHTS:
			if m.Descriptors, err = unix.ParseUnixRights(&c); err != nil {
				return m, err
			}
		}
	}
	return m, err
}

// Do sends a script and waits until it was executed.
func (s *Stage) Do(script *Script) error {
	if err := s.Send(script); err != nil {
		return err
	}
	_, err := s.Await()
	return err
}

func (s *Script) fork(what string) {
	s.Call(what, unix.SYS_CLONE, Of(int(unix.CLONE_PARENT|unix.SIGCHLD)), Of(0), Of(0), Of(0), Of(0))
}

// Say adds a call that sends a message: see Await.
func (s *Script) Say(what string) {
	s.Call(what, unix.SYS_WRITE, Of(3), s.Bytes(make([]byte, 8)), Of(8))
}

// SendDescriptors adds a call that sends open descriptors with a message; see
// Await.
func (s *Script) SendDescriptors(what string, fds ...int) {
	rights := s.Bytes(unix.UnixRights(fds...))
	text := s.Bytes(make([]byte, 8))
	header := s.Words(Of(0), Of(0), s.Words(text, Of(8)), Of(1), rights, Of(unix.CmsgSpace(4*len(fds))), Of(0))
	s.Call(what, unix.SYS_SENDMSG, Of(3), header, Of(0))
}
