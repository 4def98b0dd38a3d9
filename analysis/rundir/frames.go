package rundir

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// frameSize is how many bytes of lines make a frame without being flushed.
const frameSize = 256 << 10

// frameWriter compresses lines into a file, as whole zstd frames of whole
// lines. One that failed fails ever after: behind a torn frame nothing can be
// read, so nothing is written there.
type frameWriter struct {
	file    io.Writer
	encoder *zstd.Encoder
	lines   []byte // not written yet
	frame   []byte
	err     error
}

func newFrameWriter(file io.Writer) (*frameWriter, error) {
	// One core and a small window: the load generator has the machine to itself.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(frameSize),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	return &frameWriter{file: file, encoder: encoder, lines: make([]byte, 0, frameSize+frameSize/4)}, nil
}

// add takes the line of s.
func (f *frameWriter) add(s *sample.Sample) error {
	if f.err != nil {
		return f.err
	}
	f.lines = append(sample.AppendJSON(f.lines, s), '\n')
	if len(f.lines) < frameSize {
		return nil
	}
	return f.flush()
}

// flush writes a frame of what was added since the last one.
func (f *frameWriter) flush() error {
	if f.err != nil || len(f.lines) == 0 {
		return f.err
	}
	f.frame = f.encoder.EncodeAll(f.lines, f.frame[:0])
	f.lines = f.lines[:0]
	_, f.err = f.file.Write(f.frame)
	return f.err
}

// lineReader reads what a frameWriter wrote.
type lineReader struct {
	decoder *zstd.Decoder
	buffer  *bufio.Reader
	line    []byte
}

// errTorn ends a file whose last frame was not written to its end.
var errTorn = errors.New("torn frame at the end")

// maxWindow bounds the memory that a file can make its reader take: ample for
// what a frameWriter writes, and for the same recompressed.
const maxWindow = 64 << 20

func newLineReader(file io.Reader) (*lineReader, error) {
	decoder, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return &lineReader{decoder: decoder, buffer: bufio.NewReaderSize(decoder, 64<<10)}, nil
}

// next is the next line, valid until the one after; its error is io.EOF after
// the last whole frame, and errTorn after the last line of a torn one.
func (r *lineReader) next() ([]byte, error) {
	r.line = r.line[:0]
	for {
		part, err := r.buffer.ReadSlice('\n')
		r.line = append(r.line, part...)
		switch {
		case err == nil:
			return r.line, nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errTorn
		case errors.Is(err, io.EOF) && len(r.line) > 0:
			return nil, errors.New("the last line does not end")
		}
		return nil, err
	}
}

func (r *lineReader) close() { r.decoder.Close() }
