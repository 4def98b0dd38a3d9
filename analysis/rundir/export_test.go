package rundir

import "io"

// Fill makes the disk full for w's samples after room more bytes; err is what
// the system says then.
func (w *Writer) Fill(room int, err error) { w.samples.file = &fullDisk{w.samples.file, room, err} }

// fullDisk writes what still fits, as a file system does.
type fullDisk struct {
	under io.Writer
	room  int
	err   error
}

func (d *fullDisk) Write(p []byte) (int, error) {
	n, err := d.under.Write(p[:min(len(p), d.room)])
	d.room -= n
	if err == nil && n < len(p) {
		err = d.err
	}
	return n, err
}
