package whole

import (
	"strings"
	"testing"
	"time"
)

// TestDecode: what is wrong with a text is said in words and with its place, and
// none of the words are the decoder's.
func TestDecode(t *testing.T) {
	type document struct {
		Name string    `json:"name"`
		At   time.Time `json:"at"`
		List []struct {
			N int `json:"n"`
		} `json:"list"`
	}
	const good = `{
  "name": "a",
  "at": "2026-11-22T00:00:00Z",
  "list": [{"n": 1}, {"n": 2}]
}
`
	for text, want := range map[string]string{
		good:                   "",
		"":                     "it is empty",
		" \n\t":                "it is empty",
		good[:30]:              "it was cut off at line 3, column 14",
		`{"name": "a`:          "it was cut off at column 12",
		"\x1f\x8b\x08\x00\x00": "column 1: this is no JSON",
		"{\n  \"name\": a}":    "line 2, column 11: this is no JSON",
		good + "}":             "line 6, column 1: something follows after its end",
		good + good:            "something follows after its end",
		`{"name": 1}`:          "name cannot be a number",
		`{"list": {}}`:         "list cannot be an object",
		strings.Replace(good, `"n": 2`, `"n": "x"`, 1): "list.n cannot be a string",
		`[]`:                  "it cannot be an array",
		`{"at": "yesterday"}`: "is no time",
	} {
		var d document
		switch err := Decode([]byte(text), &d); {
		case want == "" && (err != nil || d.Name != "a" || len(d.List) != 2):
			t.Errorf("%q: %+v, %v", text, d, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", text, err, want)
		case want != "" && (strings.Contains(err.Error(), "json:") || strings.Contains(err.Error(), "unexpected") || strings.Contains(err.Error(), "parsing time")):
			t.Errorf("%q: %v: these are the decoder's words", text, err)
		}
	}
}
