package scenarios

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	return stricttest.Schema(t, SchemaJSON())
}

// value is a YAML text as an editor's schema checker sees it.
func value(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchemaAcceptsWhatParseDoes(t *testing.T) {
	s := compiled(t)
	files := map[string]string{"flash sale": shop, "everything": everything, "tuned": tuned, "mixture": mixture}
	for _, name := range Suite() {
		text, err := suite.ReadFile("suite/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	for name, text := range files {
		if err := s.Validate(value(t, []byte(text))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the schema takes although it is wrong is what only the whole file, or
// the disk, can tell.
func TestSchemaRefusesWhatParseDoes(t *testing.T) {
	want := []string{
		"arrivals/absurd", "arrivals/overflow", "functions/missing", "keys/twice", "platform/nowhere", "policy/both", "policy/profileless", "policy/triggers",
		"yaml/anchors", "yaml/tags", "yaml/two", // the library works them out
	}
	var accepted []string
	s := compiled(t)
	archives, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, archive := range archives {
		files, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		group := strings.TrimSuffix(filepath.Base(archive), ".txtar")
		for _, f := range files.Files {
			var v any
			name, isScenario := strings.CutSuffix(f.Name, ".yaml")
			if !isScenario || yaml.Unmarshal(f.Data, &v) != nil {
				continue
			}
			name = group + "/" + name
			if err := s.Validate(v); err == nil {
				accepted = append(accepted, name)
			}
		}
	}
	slices.Sort(accepted)
	if diff := cmp.Diff(want, accepted); diff != "" {
		t.Errorf("accepted by the schema (-want +got):\n%s", diff)
	}
}

// keysOf are all keys that a schema knows, by the way to them.
func keysOf(s any, path string, keys map[string]bool) {
	switch s := s.(type) {
	case map[string]any:
		if title, ok := s["title"].(string); ok && path != "" {
			path += "=" + title
		}
		if properties, ok := s["properties"].(map[string]any); ok {
			for name, property := range properties {
				keys[path+"."+name] = true
				keysOf(property, path+"."+name, keys)
			}
		}
		for _, deeper := range []string{"items", "anyOf", "oneOf"} {
			keysOf(s[deeper], path, keys)
		}
	case []any:
		for _, item := range s {
			keysOf(item, path, keys)
		}
	}
}

// The reader says which keys it knows when it meets one that it does not.
// Those must be the schema's, for every mapping and every variant.
func TestSchemaHasTheReadersKeys(t *testing.T) {
	document := stricttest.Value(t, SchemaJSON())
	schemaKeys := make(map[string]bool)
	keysOf(document, "", schemaKeys)

	probes := map[string]string{
		"":                    "QQQ: 1",
		".functions":          "functions: [{QQQ: 1}]",
		".functions.payload":  "functions: [{payload: {QQQ: 1}}]",
		".phases":             "phases: [{QQQ: 1}]",
		".expect":             "expect: [{QQQ: 1}]",
		".platform=reference": "platform: {name: reference, QQQ: 1}",
		".platform=http":      "platform: {name: http, QQQ: 1}",
		".faults":             "faults: [{QQQ: 1}]",
	}
	for _, name := range []string{"server", "lambda", "workers", "docker", "openwhisk"} {
		probes[".platform="+name] = "platform: {name: " + name + ", QQQ: 1}"
	}
	for path, text := range map[string]string{
		".keep_alive":          "keep_alive: {QQQ: 1}",
		".keep_alive.survival": "keep_alive: {survival: [{QQQ: 1}]}",
		".keep_alive.hybrid":   "keep_alive: {hybrid: {QQQ: 1}}",
		".provisioned":         "provisioned: [{QQQ: 1}]",
		".ping":                "ping: {QQQ: 1}",
		".pool":                "pool: {QQQ: 1}",
		".bases":               "bases: {QQQ: 1}",
		".start_delay":         "start_delay: {QQQ: 1}",
	} {
		probes[".platform=reference"+path] = "platform: {name: reference, " + text + "}"
	}
	for _, runtime := range runtimeNames() {
		probes[".platform=reference.start_delay."+runtime] = "platform: {name: reference, start_delay: {" + runtime + ": [{QQQ: 1}]}}"
	}
	for _, p := range processes() {
		probes[".phases.arrivals="+p] = "phases: [{arrivals: {process: " + p + ", QQQ: 1}}]"
	}
	probes[".platform=docker.bases"] = "platform: {name: docker, bases: {QQQ: 1}}"
	readerKeys := make(map[string]bool)
	for path, text := range probes {
		for _, key := range knownKeys(t, text) {
			readerKeys[path+"."+key] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(readerKeys)), slices.Sorted(maps.Keys(schemaKeys))); diff != "" {
		t.Errorf("keys (-reader +schema):\n%s", diff)
	}
}

// knownKeys are the keys that the fault of the unknown key QQQ lists.
func knownKeys(t *testing.T, text string) []string {
	t.Helper()
	_, err := Parse("x.yaml", []byte(text), Overrides{})
	for _, f := range err.(Faults) {
		if strings.Contains(f.Problem, `"QQQ"`) {
			_, list, _ := strings.Cut(f.Instead, ": ")
			return strings.Split(list, ", ")
		}
	}
	t.Fatalf("%s: no fault names the key QQQ:\n%v", text, err)
	return nil
}

func TestSchemaExplainsEveryKey(t *testing.T) {
	var check func(fs any, path string)
	check = func(s any, path string) {
		switch s := s.(type) {
		case map[string]any:
			for name, property := range asMap(s["properties"]) {
				if asMap(property)["description"] == nil {
					t.Errorf("%s.%s has no description", path, name)
				}
				check(property, path+"."+name)
			}
			for _, deeper := range []string{"items", "anyOf", "oneOf"} {
				check(s[deeper], path)
			}
		case []any:
			for _, item := range s {
				check(item, path)
			}
		}
	}
	document := stricttest.Value(t, SchemaJSON())
	check(document, "")
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
