package http

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/fixtures/presets"
)

// Preset is how a platform that is reached by HTTP wants to be asked, by its
// own documentation. The zero value is a server without habits.
type Preset struct {
	Name       string
	Title      string // the platform's own name
	RunAgainst string // what this has been tried on
	Sources    []Source
	Bills      string // what whoever has deployed a function there pays for; "" where it runs on machines of one's own
	Path       string // of URLs that have none; [FunctionMark] stands for the function's name
	Credential Credential
	Throttled  []Throttled
	NotFound   string // what a 404 means, beyond itself
}

// Source says where some of a preset's values are from.
type Source struct {
	For    string // the keys
	Source string
	AsOf   string // a day
}

// Credential is what shows a server who asks.
type Credential struct {
	What    string // its name: "identity token", "function key"; "" for a preset that has none
	Header  string // which carries it
	Scheme  string // before it in the header; "" for none
	Query   string // key of the URL's query that may hold it, and does not travel then; "" for none
	Command string // of the platform's own tools, that prints it; "" for none
	Advice  string // how to come by one
}

// Throttled is a refusal for want of capacity that has another status than 429.
type Throttled struct {
	Status int
	Says   string // in the reply's first 4 KiB
}

// FunctionMark stands for a function's name, in a URL, a host or a preset's path.
const FunctionMark = "{function}"

// FindPreset is the preset of a name. An unknown one is an error.
func FindPreset(name string) (Preset, error) {
	text, err := presets.Text(name)
	if err != nil {
		return Preset{}, fmt.Errorf("platform http: %w", err)
	}
	p, err := parsePreset(name, text)
	if err != nil {
		panic(err) // it is part of the program
	}
	return p, nil
}

func parsePreset(name string, text []byte) (Preset, error) {
	p := Preset{Name: name}
	var faults strict.Faults
	root, ok := strict.Parse(text, faults.Collect(name+".yaml"))
	if m, isMap := root.Map("the preset"); ok && isMap {
		presetFields().Into(&p, nothing{}, m, "the preset", "")
	}
	return p, faults.Err()
}

// nothing is carried along while a preset is read: its keys do not depend on
// each other.
type nothing struct{}

func presetFields() strict.Fields[nothing, Preset] {
	return strict.Fields[nothing, Preset]{
		text("title", func(p *Preset) *string { return &p.Title }, "the platform's own name").Must(),
		text("run_against", func(p *Preset) *string { return &p.RunAgainst }, "what it has been tried on").Must(),
		list("sources", "a source", sourceFields(), func(p *Preset) *[]Source { return &p.Sources }).Must(),
		text("bills", func(p *Preset) *string { return &p.Bills }, "what whoever has deployed a function pays for"),
		text("path", func(p *Preset) *string { return &p.Path }, "of URLs that have none"),
		{
			Name: "credential", Doc: "what shows who asks", Example: "{}",
			Read: func(c nothing, v strict.Value, p *Preset) {
				if m, ok := v.Map("credential"); ok {
					credentialFields().Into(&p.Credential, c, m, "credential", "")
				}
			},
		},
		list("throttled", "a refusal", throttledFields(), func(p *Preset) *[]Throttled { return &p.Throttled }),
		text("not_found", func(p *Preset) *string { return &p.NotFound }, "what a 404 means, beyond itself"),
	}
}

func sourceFields() strict.Fields[nothing, Source] {
	return strict.Fields[nothing, Source]{
		text("for", func(s *Source) *string { return &s.For }, "which keys").Must(),
		text("source", func(s *Source) *string { return &s.Source }, "where their values are from").Must(),
		text("as_of", func(s *Source) *string { return &s.AsOf }, "when that was so").Must(),
	}
}

func credentialFields() strict.Fields[nothing, Credential] {
	return strict.Fields[nothing, Credential]{
		text("what", func(c *Credential) *string { return &c.What }, "its name").Must(),
		text("header", func(c *Credential) *string { return &c.Header }, "which carries it").Must(),
		text("scheme", func(c *Credential) *string { return &c.Scheme }, "before it in the header"),
		text("query", func(c *Credential) *string { return &c.Query }, "key of the URL's query that may hold it"),
		text("command", func(c *Credential) *string { return &c.Command }, "that prints it"),
		text("advice", func(c *Credential) *string { return &c.Advice }, "how to come by one").Must(),
	}
}

func throttledFields() strict.Fields[nothing, Throttled] {
	return strict.Fields[nothing, Throttled]{
		strict.NewField("status", strict.Counts[nothing](400, 599), func(t *Throttled) *int { return &t.Status }, "of the refusal").Must(),
		text("says", func(t *Throttled) *string { return &t.Says }, "words of its body").Must(),
	}
}

func text[T any](name string, at func(*T) *string, doc string) strict.Field[nothing, T] {
	return strict.NewField(name, strict.Texts[nothing](), at, doc)
}

func list[T, E any](name, one string, fs strict.Fields[nothing, E], at func(*T) *[]E) strict.Field[nothing, T] {
	return strict.Field[nothing, T]{
		Name: name, Doc: one + " each", Example: "[]",
		Read: func(c nothing, v strict.Value, into *T) {
			if items, ok := fs.List(c, v, name, one); ok {
				*at(into) = items
			}
		},
	}
}

// throttles says whether a reply is a refusal for want of capacity, and which.
func (p *Preset) throttles(status int, body []byte) (Throttled, bool) {
	i := slices.IndexFunc(p.Throttled, func(t Throttled) bool {
		return t.Status == status && strings.Contains(string(body), t.Says)
	})
	if i < 0 {
		return Throttled{}, false
	}
	return p.Throttled[i], true
}
