package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// newRevision makes a revision id.
func newRevision() string { return engine.NewRequestID() }

// machine is this machine's architecture as Lambda calls it.
func machine() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	}
	return runtime.GOARCH
}

// complete gives settings with their defaults in them, or says what is wrong.
func (c *Catalog) complete(s Settings, from *Code) (Settings, error) {
	if err := from.check(); err != nil {
		return s, err
	}
	limits := c.runtime.Limits()
	if from.Image != "" {
		s.Runtime = cmp.Or(s.Runtime, IdentifierOf(platform.Image))
	}
	s.Memory = cmp.Or(s.Memory, limits.MemoryDefault)
	s.Timeout = cmp.Or(s.Timeout, limits.TimeoutDefault)
	s.Storage = cmp.Or(s.Storage, c.limits.StorageDefault)
	s.Architecture = cmp.Or(s.Architecture, c.machine)
	s.Environment = maps.Clone(s.Environment)
	checks := []error{
		c.checkRuntime(&s, from), c.checkSizes(&s, limits), c.checkTexts(&s),
		c.checkArchitecture(s.Architecture), checkStart(s.Start), checkEnvironment(s.Environment, limits.Environment),
	}
	for _, err := range checks {
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

func (c *Catalog) checkRuntime(s *Settings, from *Code) error {
	kind := s.Runtime
	if kind == "" || s.Handler == "" && from.Zip != nil && kind != IdentifierOf(platform.Wasm) {
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	runtime, err := RuntimeOf(kind)
	if err != nil {
		return err
	}
	if image := from.Image != ""; image != (runtime == platform.Image) {
		return invalid("The runtime %s does not go with this package: an image has the runtime image, and nothing else has", kind)
	}
	return nil
}

func (c *Catalog) checkSizes(s *Settings, limits engine.Limits) error {
	switch {
	case s.Memory < limits.Memory[0] || s.Memory > limits.Memory[1] || s.Memory%limits.MemoryStep != 0:
		return invalid("'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to %d and greater than or equal to %d, in MB; it is %v", limits.Memory[1]>>20, limits.Memory[0]>>20, s.Memory)
	case s.Timeout <= 0 || s.Timeout > limits.Timeout:
		return violation(s.Timeout.Seconds(), "timeout", fmt.Sprintf("Member must have value less than or equal to %d", int(limits.Timeout.Seconds())))
	case s.Storage < c.limits.Storage[0] || s.Storage > c.limits.Storage[1] || s.Storage%limits.MemoryStep != 0:
		return violation(int64(s.Storage)>>20, "ephemeralStorage.size", fmt.Sprintf("Member must have value between %d and %d", c.limits.Storage[0]>>20, c.limits.Storage[1]>>20))
	}
	return nil
}

func (c *Catalog) checkTexts(s *Settings) error {
	switch {
	case utf8.RuneCountInString(s.Description) > c.limits.Description:
		return violation(s.Description, "description", fmt.Sprintf("Member must have length less than or equal to %d", c.limits.Description))
	case utf8.RuneCountInString(s.Handler) > c.limits.Handler:
		return violation(s.Handler, "handler", fmt.Sprintf("Member must have length less than or equal to %d", c.limits.Handler))
	case strings.ContainsAny(s.Handler, " \t\r\n\x00"):
		return violation(s.Handler, "handler", `Member must satisfy regular expression pattern: [^\s]+`)
	}
	return nil
}

// checkArchitecture refuses what this machine does not run; "" is nothing.
func (c *Catalog) checkArchitecture(name string) error {
	switch {
	case name == "" || name == c.machine:
		return nil
	case name == "x86_64" || name == "arm64":
		return invalid("The architecture %s cannot be run here: this machine is %s", name, c.machine)
	}
	return violation("["+name+"]", "architectures", "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")
}

// checkStart says whether there is such a start tier. Whether it goes with the
// runtime and the sandbox shows when the version is prepared.
func checkStart(name string) error {
	if tiers := []string{"", "plain", "pool", "zygote", "pause"}; !slices.Contains(tiers, name) {
		return invalid("The start tier %q is not one of plain, pool, zygote, pause", name)
	}
	return nil
}

func checkEnvironment(env map[string]string, most int) error {
	size := 0
	var reserved []string
	for name, value := range env {
		if !variableName(name) {
			return violation(name, "environment.variables", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]")
		}
		if strings.ContainsRune(value, 0) {
			return invalid("The environment variable %s has a NUL in it", name)
		}
		size += len(name) + len(value)
		if platform.ReservedVariable(name) {
			reserved = append(reserved, name)
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	if size > most {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the %dKB limit. It measures %d bytes", most>>10, size)
	}
	return nil
}

// variableName says whether a variable may have that name. Names of a single
// letter, which Lambda refuses, and with a leading underscore are let pass.
func variableName(name string) bool {
	return name != "" && !strings.ContainsAny(name, "=\x00") && !strings.ContainsAny(name[:1], "0123456789")
}

// check says whether the code comes from one place.
func (from *Code) check() error {
	n := 0
	for _, given := range []bool{from.Zip != nil, from.Folder != "", from.Image != ""} {
		if given {
			n++
		}
	}
	switch {
	case n == 0:
		return invalid("A ZIP file, S3 bucket, or image is required")
	case n > 1:
		return invalid("Please do not provide more than one of ZipFile, LocalFolder and ImageUri")
	case from.Folder != "":
		return checkFolder(from.Folder)
	}
	return nil
}

// source is where code of the package's kind comes from, for its checks.
func (p *Package) source() *Code {
	if p.stored() {
		return &Code{Zip: []byte{}}
	}
	return &Code{Folder: p.Folder, Image: p.Image}
}

// checkFolder says whether a folder can be run from in place.
func checkFolder(path string) error {
	if !filepath.IsAbs(path) {
		return invalid("The code folder %q is not an absolute path", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return invalid("The code folder cannot be read: %v", err).because(err)
	}
	if !info.IsDir() {
		return invalid("The code %q is not a folder", path)
	}
	return nil
}
