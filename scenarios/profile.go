package scenarios

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
)

// Profile is how a named platform treats instances, by published sources.
type Profile struct {
	Name       string
	Title      string
	Sources    []ProfileSource
	Platform   Platform                        // reference, with the policy; no emulated delays
	StartDelay map[platform.Runtime][]Quantile // published, used where a scenario asks for them
}

// ProfileSource says where some of a profile's values are from.
type ProfileSource struct {
	For    string // the keys
	Source string
	AsOf   string // a day, or a year
}

func profileFields() fields[Profile] {
	source := fields[ProfileSource]{
		key("for", texts(), func(s *ProfileSource) *string { return &s.For }, "which keys").Must(),
		key("source", texts(), func(s *ProfileSource) *string { return &s.Source }, "where their values are from").Must(),
		key("as_of", texts(), func(s *ProfileSource) *string { return &s.AsOf }, "when that was so").Must(),
	}
	return fields[Profile]{
		key("title", texts(), func(p *Profile) *string { return &p.Title }, "the platform's own name").Must(),
		{
			Name: "sources", Doc: "where the values are from", Needed: []string{""}, Example: "[]",
			Schema: strict.ListSchema(source.Object("")),
			Read: func(r *reader, v strict.Value, p *Profile) {
				p.Sources, _ = readList(r, v, "sources", "a source", source)
			},
		},
		{
			Name: "platform", Doc: "the policy, in the keys of a scenario's platform", Needed: []string{""}, Example: "{}",
			Schema: platformFields().Object(referencePlatform),
			Read: func(r *reader, v strict.Value, p *Profile) {
				if m, ok := v.Map("platform"); ok {
					p.Platform = r.platform(m)
				}
			},
		},
	}
}

// ParseProfile reads a profile. An error is a [Faults].
func ParseProfile(name string, text []byte) (Profile, error) {
	r := &reader{file: name + ".yaml"}
	p := Profile{Name: name}
	root, ok := strict.Parse(text, r.faults.Collect(r.file))
	if m, isMap := root.Map("the profile"); ok && isMap {
		profileFields().Into(&p, r, m, "the profile", "")
	}
	p.Platform.Profile = name
	p.StartDelay, p.Platform.StartDelay = p.Platform.StartDelay, nil
	return p, r.faults.Err()
}

// mustProfile is a profile that ships with coldcurve.
func mustProfile(name string) Profile {
	text, err := fixtures.Profile(name)
	if err != nil {
		panic(err) // the name has been checked
	}
	p, err := ParseProfile(name, text)
	if err != nil {
		panic(err) // a test reads them all
	}
	return p
}

// noteProfile says what a reader of the results must know of the policy.
func (s *Scenario) noteProfile(p Profile) {
	emulated := len(s.Platform.StartDelay) > 0
	if p.Name != "" {
		own := "; how long anything takes is this machine's own"
		if emulated {
			own = "; how long anything but a start takes is this machine's own"
		}
		s.Notes = append(s.Notes, fmt.Sprintf("instances are kept, limited and routed as %s does it by published sources (profile %s)%s", p.Title, p.Name, own))
	}
	if emulated {
		s.Notes = append(s.Notes, "start delays are emulated: a start takes at least as long as drawn from a published distribution")
	}
}
