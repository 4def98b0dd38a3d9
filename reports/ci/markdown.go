package ci

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

// Markdown writes the findings for a comment or a step summary, in GitHub's
// dialect, which GitLab reads, too.
func Markdown(w io.Writer, d *gate.Document) error {
	v := reports.VerdictsOf(d)
	var b strings.Builder
	fmt.Fprintf(&b, "### coldcurve gate: %s\n\n", plain(strings.ReplaceAll(string(d.Verdict), "_", " ")))
	for _, sentence := range v.Answer() {
		b.WriteString(plain(sentence) + "  \n")
	}
	if len(d.Findings) > 0 {
		b.WriteString("\n")
		markdownTable(&b, d, v)
		fmt.Fprintf(&b, "\nbase: %s, head: %s\n", plain(v.Base), plain(v.Head))
		b.WriteString("\n<details><summary>Why, and what so many runs can tell</summary>\n\n")
		for _, reason := range v.Reasons() {
			b.WriteString("- " + plain(reason) + "\n")
		}
		b.WriteString("\n</details>\n")
	}
	for _, note := range d.Notes {
		b.WriteString("\n" + plain(note) + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write markdown: %w", err)
	}
	return nil
}

func markdownTable(b *strings.Builder, d *gate.Document, v *reports.Verdicts) {
	row := func(cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	row("figure", "base", "head", "change", "interval", "verdict", v.Unit())
	row("---", "---:", "---:", "---:", "---:", "---", "---:")
	for i := range v.Findings {
		f := &v.Findings[i]
		verdict := string(f.Verdict)
		switch effectOf(d, f) {
		case fails, stops:
			verdict = "**" + verdict + "**"
		case warns:
			verdict += " (warns)"
		}
		row(plain(f.Subject()), plain(f.Value(f.Base)), plain(f.Value(f.Head)), plain(f.Difference(f.Change)),
			plain(v.Interval(f)), verdict, reports.Counted(f))
	}
}

// plain writes text that Markdown takes for nothing else: no cell ends, nothing
// is emphasised, linked or embedded, nobody is mentioned.
func plain(text string) string {
	var b strings.Builder
	for at, r := range text {
		switch {
		case strings.ContainsRune("\\`*_{}[]#|~!$", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '@':
			b.WriteString("&#64;") // a backslash does not keep it from being a mention
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == ':' && !strings.HasPrefix(text[at+1:], " "):
			b.WriteString("&#58;") // of a link that needs no brackets, or of an emoji
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			b.WriteRune(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
