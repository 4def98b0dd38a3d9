package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// schema names a function's document.
const schema = "coldcurve.function/v1"

// record is a function as it is kept. One that has been shown is not changed
// any more: a change is made to a clone.
type record struct {
	Schema      string            `json:"schema"`
	Name        string            `json:"name"`
	Latest      version           `json:"latest"`
	Serving     *version          `json:"serving,omitempty"` // what $LATEST was before an update that is under way or has failed
	Versions    []version         `json:"versions"`          // published, ascending
	Published   int               `json:"published"`         // the highest number ever given
	Aliases     []Alias           `json:"aliases"`           // by name
	Reserved    *int              `json:"reserved,omitempty"`
	Provisioned []provisioned     `json:"provisioned"` // by qualifier, as the next two
	URLs        []url             `json:"urls"`
	Events      []EventInvoke     `json:"events"`
	Policies    []policy          `json:"policies,omitempty"` // by qualifier, too
	Tags        map[string]string `json:"tags,omitempty"`     // not changed in place
}

// version is one version of a function.
type version struct {
	Number   string `json:"version"` // or $LATEST
	Settings `json:"settings"`
	Package  Package   `json:"package"`
	Modified time.Time `json:"modified"`
	Revision string    `json:"revision"`
	Source   string    `json:"source,omitempty"` // of a published one: what $LATEST was, in short

	// The states are of this process and not kept.
	state        State
	reason, code string // of the state
	update       UpdateStatus
	updateReason string
	updateCode   string
}

// provisioned is the provisioned concurrency that was asked for.
type provisioned struct {
	Qualifier string    `json:"qualifier"`
	Count     int       `json:"count"`
	Modified  time.Time `json:"modified"`
}

// url is a function URL.
type url struct {
	ID          string `json:"id"`
	Qualifier   string `json:"qualifier"` // an alias, or $LATEST
	URLSettings `json:"settings"`
	Created     time.Time `json:"created"`
	Modified    time.Time `json:"modified"`
}

// newRecord is that of a function that is being created.
func newRecord(name string, settings Settings, p Package) *record {
	r := &record{
		Schema: schema, Name: name,
		Latest:   version{Number: Latest, Settings: settings, Package: p, Modified: time.Now(), Revision: newRevision(), update: Successful},
		Versions: []version{}, Aliases: []Alias{}, Provisioned: []provisioned{}, URLs: []url{}, Events: []EventInvoke{},
	}
	r.Latest.pending("Creating", "The function is being created.")
	return r
}

// clone copies what changes are made to in place.
func (r *record) clone() *record {
	c := *r
	c.Versions = slices.Clone(r.Versions)
	c.Aliases = slices.Clone(r.Aliases)
	c.Provisioned = slices.Clone(r.Provisioned)
	c.URLs = slices.Clone(r.URLs)
	c.Events = slices.Clone(r.Events)
	c.Policies = slices.Clone(r.Policies)
	return &c
}

// version gives the version of that name to change it; nil if there is none.
func (r *record) version(name string) *version {
	if name == Latest {
		return &r.Latest
	}
	for i := range r.Versions {
		if r.Versions[i].Number == name {
			return &r.Versions[i]
		}
	}
	return nil
}

// alias gives the alias of that name to change it; nil if there is none.
func (r *record) alias(name string) *Alias {
	for i := range r.Aliases {
		if r.Aliases[i].Name == name {
			return &r.Aliases[i]
		}
	}
	return nil
}

// lookup gives the version that a version's or alias's name leads to first.
func (r *record) lookup(qualifier string) *version {
	if a := r.alias(qualifier); a != nil {
		qualifier = a.Version
	}
	return r.version(cmp.Or(qualifier, Latest))
}

// last is the published version of the highest number; nil if there is none.
func (r *record) last() *version {
	if len(r.Versions) == 0 {
		return nil
	}
	return &r.Versions[len(r.Versions)-1]
}

// packages are those that the record holds.
func (r *record) packages() []Package {
	all := []Package{r.Latest.Package}
	if r.Serving != nil {
		all = append(all, r.Serving.Package)
	}
	for i := range r.Versions {
		all = append(all, r.Versions[i].Package)
	}
	return slices.DeleteFunc(all, func(p Package) bool { return !p.stored() })
}

// publish adds a version of $LATEST with the package, unless the last one is
// the same: then it is given again.
func (r *record) publish(description string, p Package, now time.Time) (v *version, fresh bool) {
	source := sourceOf(&r.Latest.Settings, p.SHA256)
	if last := r.last(); last != nil && last.Source == source {
		return last, false
	}
	r.Published++
	next := version{
		Number: strconv.Itoa(r.Published), Settings: r.Latest.Settings, Package: p,
		Modified: now, Revision: newRevision(), Source: source,
	}
	next.Description = cmp.Or(description, next.Description)
	next.pending("Creating", "The function is being created.")
	next.update = Successful
	r.Versions = append(r.Versions, next)
	return r.last(), true
}

// sourceOf tells two states of $LATEST apart.
func sourceOf(s *Settings, code string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // Settings can be marshalled
	}
	sum := sha256.Sum256(append(text, code...))
	return hex.EncodeToString(sum[:])
}

// pending says that the version is being prepared.
func (v *version) pending(code, reason string) {
	v.state, v.code, v.reason = Pending, code, reason
}

// active says that it can be invoked, and that the last change is in service.
func (v *version) active() {
	v.state, v.code, v.reason = Active, "", ""
	v.update, v.updateCode, v.updateReason = Successful, "", ""
}

// failed says that its last change cannot be; it can be invoked all the same
// if what was before serves.
func (v *version) failed(serves bool, code, reason string) {
	v.state, v.code, v.reason = Failed, code, reason
	if serves {
		v.state, v.code, v.reason = Active, "", ""
	}
	v.update, v.updateCode, v.updateReason = UpdateFailed, code, reason
}

// check finds what could not have been written by this package, in a document
// that somebody may have edited.
func (r *record) check() error {
	if !functionName.MatchString(r.Name) {
		return fmt.Errorf("function name %q does not match %s", r.Name, functionName)
	}
	if r.Latest.Number != Latest || r.Serving != nil && r.Serving.Number != Latest {
		return errors.New("latest is not $LATEST")
	}
	last := 0
	for i := range r.Versions {
		n, err := strconv.Atoi(r.Versions[i].Number)
		if err != nil || n <= last || n > r.Published || strconv.Itoa(n) != r.Versions[i].Number {
			return fmt.Errorf("version %q follows %d, of %d published", r.Versions[i].Number, last, r.Published)
		}
		last = n
	}
	for _, p := range r.packages() {
		if p.SHA256 == "" {
			return errors.New("a version has no code")
		}
	}
	return r.checkNames()
}

// checkNames checks that what has a qualifier leads to something, and is in
// order, and so there once.
func (r *record) checkNames() error {
	var errs []error
	last, kind := "", ""
	next := func(of, qualifier string, good bool) {
		if of != kind {
			last, kind = "", of
		}
		if !good || qualifier <= last {
			errs = append(errs, fmt.Errorf("the %s %q is not what it can be, or follows %q", of, qualifier, last))
		}
		last = qualifier
	}
	for i := range r.Aliases {
		next("alias", r.Aliases[i].Name, r.goodAlias(&r.Aliases[i]))
	}
	for _, p := range r.Provisioned {
		next("provisioned concurrency of", p.Qualifier, p.Count > 0 && r.lookup(p.Qualifier) != nil)
	}
	for _, u := range r.URLs {
		next("URL of", u.Qualifier, u.ID != "" && r.lookup(u.Qualifier) != nil)
	}
	for _, e := range r.Events {
		next("asynchronous invocation of", e.Qualifier, r.lookup(e.Qualifier) != nil)
	}
	for _, p := range r.Policies {
		next("policy of", p.Qualifier, len(p.Permissions) > 0 && r.revision(p.Qualifier) != nil)
	}
	return errors.Join(errs...)
}

func (r *record) goodAlias(a *Alias) bool {
	for v, w := range a.Weights {
		if r.version(v) == nil || v == a.Version || !(w >= 0 && w <= 1) {
			return false
		}
	}
	return aliasName.MatchString(a.Name) && r.version(a.Version) != nil && len(a.Weights) <= 1
}

// all gives $LATEST and the published versions, to change them.
func (r *record) all() []*version {
	all := []*version{&r.Latest}
	for i := range r.Versions {
		all = append(all, &r.Versions[i])
	}
	return all
}
