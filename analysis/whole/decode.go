package whole

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Decode reads a document of JSON. Of a text that is none, or was cut off, the
// error says what is wrong and where, for whoever has to mend the file.
func Decode(text []byte, into any) error {
	from := json.NewDecoder(bytes.NewReader(text))
	switch err := from.Decode(into); {
	case err == io.EOF:
		return errors.New("it is empty")
	case err == io.ErrUnexpectedEOF:
		return fmt.Errorf("it was cut off at %s", place(text, int64(len(text))))
	case err != nil:
		return fault(text, err)
	}
	if _, err := from.Token(); err != io.EOF {
		return fmt.Errorf("%s: something follows after its end", place(text, from.InputOffset()))
	}
	return nil
}

// fault is what the decoder says of a text, in words and with its place.
func fault(text []byte, err error) error {
	switch e := err.(type) { // not what a value's own error wraps: its place is within the value
	case *json.SyntaxError:
		return fmt.Errorf("%s: this is no JSON", place(text, e.Offset-1))
	case *json.UnmarshalTypeError:
		if e.Field == "" {
			return fmt.Errorf("%s: it cannot be %s", place(text, e.Offset-1), article(e.Value))
		}
		return fmt.Errorf("%s: %s cannot be %s", place(text, e.Offset-1), e.Field, article(e.Value))
	case *time.ParseError:
		return fmt.Errorf("%s is no time", e.Value)
	}
	return err
}

// article is what the decoder calls a value, such as "number 1.5" or "array".
func article(value string) string {
	switch value {
	case "array", "object":
		return "an " + value
	}
	return "a " + value
}

// place is where in a text an offset is; of a text of one line the column alone.
func place(text []byte, offset int64) string {
	before := text[:min(max(offset, 0), int64(len(text)))]
	column := len(before) - bytes.LastIndexByte(before, '\n')
	if line := bytes.Count(before, []byte("\n")) + 1; line > 1 || bytes.Contains(bytes.TrimSpace(text), []byte("\n")) {
		return fmt.Sprintf("line %d, column %d", line, column)
	}
	return fmt.Sprintf("column %d", column)
}
