package traffic

import (
	"bufio"
	"bytes"
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
			return f.at(row, err)
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
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &Fault{f.Name, row, "the gzip stream is damaged", "fetch or compress the file again"}
	}
	return fmt.Errorf("%s: read row %d: %w", f.Name, row, err)
}

// unzipped is a file's content without its compression.
type unzipped struct {
	io.Reader
	io.Closer
}

// plain opens the file and takes its compression away, if it has any.
func (f File) plain() (io.ReadCloser, error) {
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open traffic: %w", err)
	}
	buffered := bufio.NewReaderSize(in, 64<<10)
	if magic, _ := buffered.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return unzipped{buffered, in}, nil
	}
	text, err := gzip.NewReader(buffered)
	if err != nil {
		in.Close()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, f.unreadable(1, err)
	}
	return unzipped{text, in}, nil
}

// bad is a fault that does not know its place yet.
func bad(problem, instead string) error { return &Fault{Problem: problem, Instead: instead} }
