package sample

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Decoder reads what [AppendJSON] writes. Strings that recur (phases,
// functions, instances) are kept once for all samples. The zero value is
// ready; it serves one goroutine.
type Decoder struct {
	known   map[string]string
	scratch []byte
}

// Decode reads one sample from line. It is strict: a line that is not one JSON
// object with the keys and types of the package doc is an error that names the
// byte, and leaves s in no particular state. Of a key that stands twice the
// last value counts. What it puts in s does not alias line.
func (d *Decoder) Decode(line []byte, s *Sample) error {
	*s = Sample{}
	c := cursor{line: line, scratch: d.scratch}
	err := d.object(&c, s)
	d.scratch = c.scratch
	if err != nil {
		return fmt.Errorf("decode sample: byte %d: %w", c.at, err)
	}
	return nil
}

func (d *Decoder) object(c *cursor, s *Sample) error {
	if err := c.expect('{'); err != nil {
		return err
	}
	if c.accept('}') {
		return c.end()
	}
	for {
		c.space()
		key := c.at
		name, err := c.text()
		if err != nil {
			return err
		}
		if err := c.expect(':'); err != nil {
			return err
		}
		c.space()
		known, err := d.field(c, name, s)
		if err != nil {
			return err
		}
		if !known {
			c.at = key
			return fmt.Errorf("unknown key %q", name)
		}
		if c.accept('}') {
			return c.end()
		}
		if !c.accept(',') {
			return fmt.Errorf("want '}' or ',', have %s", c.here())
		}
	}
}

// field reads the value of one key, if it knows the key.
func (d *Decoder) field(c *cursor, key []byte, s *Sample) (known bool, err error) {
	switch string(key) {
	case "seq":
		return true, c.count(&s.Seq)
	case "phase":
		return true, d.assign(c, &s.Phase)
	case "fn":
		return true, d.assign(c, &s.Function)
	case "for":
		return true, d.assign(c, &s.Consumer)
	case "stage":
		return true, d.assign(c, &s.Stage)
	case "via":
		return true, d.assign(c, &s.Trigger)
	case "inst":
		return true, d.assign(c, &s.Instance)
	case "start":
		return true, decodeName(d, c, &s.Start, ParseStart)
	case "grade":
		return true, decodeName(d, c, &s.Grade, ParseGrade)
	case "err":
		return true, decodeName(d, c, &s.Err, ParseErrorKind)
	}
	if at := timeField(key, s); at != nil {
		return true, c.time(at)
	}
	return false, nil
}

// timeField is where the duration of that key belongs, nil for another key.
func timeField(key []byte, s *Sample) *time.Duration {
	switch string(key) {
	case "at":
		return &s.Intended
	case "sent":
		return &s.Sent
	case "first":
		return &s.FirstByte
	case "done":
		return &s.Done
	case "trig":
		return &s.Breakdown.Trigger
	case "queue":
		return &s.Breakdown.Queue
	case "prov":
		return &s.Breakdown.Provision
	case "boot":
		return &s.Breakdown.Boot
	case "init":
		return &s.Breakdown.Init
	case "handler":
		return &s.Breakdown.Handler
	case "billed":
		return &s.Billed
	}
	return nil
}

func (d *Decoder) assign(c *cursor, to *string) (err error) {
	*to, err = d.string(c)
	return err
}

func decodeName[T named](d *Decoder, c *cursor, to *T, parse func(string) (T, error)) error {
	start := c.at
	name, err := d.string(c)
	if err != nil {
		return err
	}
	if *to, err = parse(name); err != nil {
		c.at = start
	}
	return err
}

// string reads a JSON string, unescaped and interned.
func (d *Decoder) string(c *cursor) (string, error) {
	raw, err := c.text()
	if err != nil {
		return "", err
	}
	if s, ok := d.known[string(raw)]; ok {
		return s, nil
	}
	if d.known == nil {
		d.known = make(map[string]string)
	}
	s := string(raw)
	d.known[s] = s
	return s, nil
}

// cursor walks one line; at is where the next byte stands, and where the fault
// is when a method fails.
type cursor struct {
	line    []byte
	at      int
	scratch []byte // the last string that could not be read in place
}

func (c *cursor) space() {
	for c.at < len(c.line) {
		switch c.line[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

// accept steps over white space and then over b, if it is there.
func (c *cursor) accept(b byte) bool {
	c.space()
	if c.at < len(c.line) && c.line[c.at] == b {
		c.at++
		return true
	}
	return false
}

func (c *cursor) expect(b byte) error {
	if !c.accept(b) {
		return fmt.Errorf("want %q, have %s", b, c.here())
	}
	return nil
}

func (c *cursor) end() error {
	if c.space(); c.at < len(c.line) {
		return fmt.Errorf("want the end of the line, have %s", c.here())
	}
	return nil
}

// here names the next byte for an error.
func (c *cursor) here() string {
	if c.at >= len(c.line) {
		return "the end of the line"
	}
	return strconv.QuoteRuneToASCII(rune(c.line[c.at]))
}

// integer is the text of a JSON number without fraction and exponent.
func (c *cursor) integer() ([]byte, error) {
	i := c.at
	if i < len(c.line) && c.line[i] == '-' {
		i++
	}
	first := i
	for i < len(c.line) && '0' <= c.line[i] && c.line[i] <= '9' {
		i++
	}
	if i == first {
		return nil, fmt.Errorf("want an integer, have %s", c.here())
	}
	if c.line[first] == '0' && i > first+1 {
		return nil, fmt.Errorf("number %s starts with 0", c.line[c.at:i])
	}
	return c.line[c.at:i], nil
}

func (c *cursor) count(to *uint64) error {
	number, err := c.integer()
	if err != nil {
		return err
	}
	if *to, err = strconv.ParseUint(string(number), 10, 64); err != nil {
		return fmt.Errorf("number %s is out of range", number)
	}
	c.at += len(number)
	return nil
}

func (c *cursor) time(to *time.Duration) error {
	number, err := c.integer()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return fmt.Errorf("number %s is out of range", number)
	}
	*to = time.Duration(n)
	c.at += len(number)
	return nil
}

// text is the content of the JSON string that starts here, valid until the
// next call. One without escapes and beyond-ASCII characters, as nearly all
// are, is read in place.
func (c *cursor) text() ([]byte, error) {
	if c.at >= len(c.line) || c.line[c.at] != '"' {
		return nil, fmt.Errorf("want a string, have %s", c.here())
	}
	c.at++
	start := c.at
	for c.at < len(c.line) {
		switch b := c.line[c.at]; {
		case b == '"':
			c.at++
			return c.line[start : c.at-1], nil
		case b < ' ' || b == '\\' || b >= utf8.RuneSelf:
			c.scratch = append(c.scratch[:0], c.line[start:c.at]...)
			return c.restOfText()
		}
		c.at++
	}
	return nil, errors.New("string does not end")
}

// restOfText is text from the first character on that needs a look, behind
// what is in scratch.
func (c *cursor) restOfText() ([]byte, error) {
	for c.at < len(c.line) {
		switch b := c.line[c.at]; {
		case b == '"':
			c.at++
			return c.scratch, nil
		case b == '\\':
			r, err := c.escape()
			if err != nil {
				return nil, err
			}
			c.scratch = utf8.AppendRune(c.scratch, r)
		case b < ' ':
			return nil, fmt.Errorf("control character %s in a string", c.here())
		default:
			r, size := utf8.DecodeRune(c.line[c.at:])
			if r == utf8.RuneError && size == 1 {
				return nil, fmt.Errorf("%s is not UTF-8", c.here())
			}
			c.scratch = append(c.scratch, c.line[c.at:c.at+size]...)
			c.at += size
		}
	}
	return nil, errors.New("string does not end")
}

// escape reads one escape sequence; a surrogate pair is one.
func (c *cursor) escape() (rune, error) {
	if c.at+1 < len(c.line) {
		switch b := c.line[c.at+1]; b {
		case '"', '\\', '/':
			c.at += 2
			return rune(b), nil
		case 'b', 'f', 'n', 'r', 't':
			c.at += 2
			return rune("\b\f\n\r\t"[strings.IndexByte("bfnrt", b)]), nil
		}
	}
	r, ok := c.hex(c.at)
	if !ok {
		return 0, errors.New("bad escape sequence")
	}
	if !utf16.IsSurrogate(r) {
		c.at += 6
		return r, nil
	}
	second, ok := c.hex(c.at + 6)
	if r = utf16.DecodeRune(r, second); !ok || r == utf8.RuneError {
		return 0, errors.New("half of a surrogate pair")
	}
	c.at += 12
	return r, nil
}

// hex reads \uXXXX at i without moving.
func (c *cursor) hex(i int) (rune, bool) {
	if i+6 > len(c.line) || c.line[i] != '\\' || c.line[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(c.line[i+2:i+6]), 16, 16)
	return rune(n), err == nil
}
