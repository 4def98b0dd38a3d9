package traffic

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is recorded traffic that can be read several times.
type File struct {
	Name string // for faults
	Open func() (io.ReadCloser, error)
}

// Path is a file of the file system.
func Path(path string) File {
	return File{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// longestRow is more than an Azure row of 1,440 counts needs.
const longestRow = 1 << 18

// rows calls visit with the text of each row and its number, from 1, without
// the line break. The text is valid until visit returns. Empty rows and those
// that begin with # are passed over. Visit's *[Fault] gets file and row; a read
// that fails in the middle of a row is told before the row is looked at.
func (f File) rows(visit func(row int, text []byte) error) error {
	in, err := f.plain()
	if err != nil {
		return err
	}
	defer in.Close()
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 0, 64<<10), longestRow)
	row := 0
	for scan.Scan() {
		row++
		// What comes before a failed read is torn off, and may be half a row.
		if scan.Err() != nil {
			row--
			break
		}
		text := bytes.TrimSpace(scan.Bytes())
		if row == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		if err := visit(row, text); err != nil {
			return in.blamed(f.at(row, err))
		}
	}
	if err := scan.Err(); err != nil {
		return f.unreadable(row+1, err)
	}
	return nil
}

// at puts a place into a fault that has none.
func (f File) at(row int, err error) error {
	if fault, ok := errors.AsType[*Fault](err); ok && fault.File == "" {
		fault.File, fault.Row = f.Name, row
	}
	return err
}

func (f File) unreadable(row int, err error) error {
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return &Fault{f.Name, row, fmt.Sprintf("the row is longer than %d bytes", longestRow), "write one request, minute or function a row"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Fault{f.Name, row, "the gzip stream is truncated", "fetch or compress the file again"}
	case errors.Is(err, gzip.ErrHeader):
		return &Fault{f.Name, row, "the gzip stream is damaged, or goes on with something else", "fetch or compress the file again"}
	case errors.Is(err, gzip.ErrChecksum):
		return &Fault{f.Name, row, "the gzip stream is damaged", "fetch or compress the file again"}
	}
	return fmt.Errorf("%s: read row %d: %w", f.Name, row, err)
}

// content is a file's text, without its compression.
type content struct {
	io.Reader
	io.Closer
	failed bool // a read has, so that what came of it is told
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.failed = c.failed || err != nil && err != io.EOF
	return n, err
}

// blamed is a fault in a row, or what brought it about: a stream in which a byte
// has changed gives other text, and is only found out at its end.
func (c *content) blamed(err error) error {
	fault, ok := errors.AsType[*Fault](err)
	if !ok || c.failed {
		return err
	}
	if _, broken := io.Copy(io.Discard, c); errors.Is(broken, gzip.ErrChecksum) {
		fault.Instead = "but the gzip stream is damaged: fetch or compress the file again"
	}
	return err
}

var gzipMagic = []byte{0x1f, 0x8b}

// plain opens the file and takes its compression away, if it has any.
func (f File) plain() (*content, error) {
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open traffic: %w", err)
	}
	buffered := bufio.NewReaderSize(in, 64<<10)
	if magic, _ := buffered.Peek(2); !bytes.Equal(magic, gzipMagic) {
		return &content{Reader: buffered, Closer: in}, nil
	}
	text, err := gzip.NewReader(buffered)
	if err != nil {
		in.Close()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, f.unreadable(1, err)
	}
	text.Multistream(false)
	return &content{Reader: &members{text, buffered}, Closer: in}, nil
}

// members are the gzip streams of a file, one after the other. The library takes
// a few bytes of anything else after them for one that is cut off.
type members struct {
	stream *gzip.Reader
	in     *bufio.Reader
}

func (m *members) Read(p []byte) (int, error) {
	n, err := m.stream.Read(p)
	switch _, corrupt := errors.AsType[flate.CorruptInputError](err); {
	case corrupt:
		return n, fmt.Errorf("%w: %w", gzip.ErrChecksum, err)
	case err != io.EOF:
		return n, err
	}
	magic, _ := m.in.Peek(len(gzipMagic))
	switch {
	case len(magic) == 0:
		return n, io.EOF
	case !bytes.Equal(magic, gzipMagic):
		return n, fmt.Errorf("after the last stream: %w", gzip.ErrHeader)
	}
	if err := m.stream.Reset(m.in); err != nil {
		return n, err
	}
	m.stream.Multistream(false)
	return n, nil
}

// bad is a fault that does not know its place yet.
func bad(problem, instead string) error { return &Fault{Problem: problem, Instead: instead} }
