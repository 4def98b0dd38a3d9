package units

import (
	"strings"
	"unicode"
)

// FormatLine writes a text on one line of at most so many bytes, 3 or more:
// white space and control characters become single spaces, and what is cut off
// is shown by three dots.
func FormatLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	const cut = "..."
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most-len(cut)], "") + cut
	}
	return text
}
