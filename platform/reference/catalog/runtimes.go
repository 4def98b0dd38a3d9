package catalog

import (
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/platform"
)

// RuntimeIdentifier is a runtime by Lambda's name and by coldcurve's.
type RuntimeIdentifier struct {
	Identifier string
	Runtime    platform.Runtime
	// Usual is the identifier that a function of Runtime has where it is
	// created without one.
	Usual bool
}

// RuntimeIdentifiers are the runtimes that can be served, of Lambda's list as
// of 2026-11-21
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, and the
// Runtime enumeration of the AWS SDK for Go v2, service/lambda v1.114.2), and
// wasm and image, which are coldcurve's own: Lambda has no module runtime, and
// tells images by the package type; and nodejs and python, which ask for no
// version. The version in an identifier is a promise that the machine may not
// keep, which [Catalog.Notes] tells: which interpreter runs is the machine's.
func RuntimeIdentifiers() []RuntimeIdentifier {
	return []RuntimeIdentifier{
		{"provided.al2023", platform.Go, true},
		{"provided.al2", platform.Go, false},
		{"nodejs18.x", platform.NodeJS, false},
		{"nodejs20.x", platform.NodeJS, false},
		{"nodejs22.x", platform.NodeJS, false},
		{"nodejs24.x", platform.NodeJS, false},
		{"python3.9", platform.Python, false},
		{"python3.10", platform.Python, false},
		{"python3.11", platform.Python, false},
		{"python3.12", platform.Python, false},
		{"python3.13", platform.Python, false},
		{"python3.14", platform.Python, false},
		{"nodejs", platform.NodeJS, true},
		{"python", platform.Python, true},
		{"wasm", platform.Wasm, true},
		{"image", platform.Image, true},
	}
}

// RuntimeOf gives the runtime of an identifier; its error names those there are.
func RuntimeOf(identifier string) (platform.Runtime, error) {
	all := RuntimeIdentifiers()
	if i := slices.IndexFunc(all, func(r RuntimeIdentifier) bool { return r.Identifier == identifier }); i >= 0 {
		return all[i].Runtime, nil
	}
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.Identifier
	}
	return "", invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", identifier, strings.Join(names, ", "))
}

// IdentifierOf gives the usual identifier of a runtime, "" if it has none.
func IdentifierOf(runtime platform.Runtime) string {
	for _, r := range RuntimeIdentifiers() {
		if r.Runtime == runtime && r.Usual {
			return r.Identifier
		}
	}
	return ""
}
