package lambdaapi

import (
	"fmt"
	"strings"

	"github.com/coldcurve/coldcurve/platform"
)

// RuntimeIdentifier is a runtime by coldcurve's name and by Lambda's.
type RuntimeIdentifier struct {
	Runtime    platform.Runtime
	Identifier string
}

// RuntimeIdentifiers are the runtimes that can be served. The version in
// Lambda's name is that of the wire; which interpreter runs is the machine's.
func RuntimeIdentifiers() []RuntimeIdentifier {
	return []RuntimeIdentifier{
		{platform.Go, "provided.al2023"},
		{platform.NodeJS, "nodejs22.x"},
		{platform.Python, "python3.12"},
	}
}

// runtimeOf gives the runtime of Lambda's identifier.
func runtimeOf(identifier string) (platform.Runtime, error) {
	var known []string
	for _, r := range RuntimeIdentifiers() {
		if r.Identifier == identifier {
			return r.Runtime, nil
		}
		known = append(known, r.Identifier)
	}
	return "", invalid(fmt.Sprintf("Runtime %q is not one of %s", identifier, strings.Join(known, ", ")))
}

// IdentifierOf gives Lambda's identifier of a runtime, "" if it has none.
func IdentifierOf(runtime platform.Runtime) string {
	for _, r := range RuntimeIdentifiers() {
		if r.Runtime == runtime {
			return r.Identifier
		}
	}
	return ""
}
