package text

import "strings"

// color is an ANSI SGR code.
type color string

const (
	bold   color = "1"
	red    color = "31;1"
	green  color = "32"
	yellow color = "33"
	blue   color = "34"
)

const escape = "\x1b["

func (p *page) paint(c color, s string) string {
	if !p.o.Color || c == "" {
		return s
	}
	return escape + string(c) + "m" + s + escape + "0m"
}

// stripped is s without colour, for its width.
func stripped(s string) string {
	for {
		before, after, ok := strings.Cut(s, escape)
		if !ok {
			return s
		}
		_, rest, _ := strings.Cut(after, "m")
		s = before + rest
	}
}
