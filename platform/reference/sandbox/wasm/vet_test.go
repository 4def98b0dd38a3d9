package wasm

import (
	"strings"
	"testing"
)

// TestVet has modules that count what they do not have. Each of those refused
// would have wazero make room for it.
func TestVet(t *testing.T) {
	const billions = "\xff\xff\xff\xff\x0f" // 4 Gi - 1
	for _, c := range []struct {
		name, module, refused string // "": taken
	}{
		{"types", entry(typeSection, billions), "section 1: it has 4294967295 entries, at most 1000000"},
		{"types that are not there", entry(typeSection, "\x80\x08\x60\x00\x00"), "section 1: it has 1024 entries in 3 bytes"},
		{"parameters", entry(typeSection, "\x01\x60"+billions), "section 1: it has 4294967295 entries, at most 1000"},
		{"results", entry(typeSection, "\x01\x60\x00"+billions), "section 1: it has 4294967295 entries, at most 1000"},
		{"a group of types", entry(typeSection, "\x01\x4e"+billions), "section 1: a type of form 0x4e"},
		{"a typed reference", entry(typeSection, "\x01\x60\x01\x63\x70\x00"), "section 1: a value type 0x63"},
		{"imports", entry(importSection, billions), "section 2: it has 4294967295 entries"},
		{"an import's name", entry(importSection, "\x01"+billions), "section 2: it has 4294967295 entries, at most 100000"},
		{"functions", entry(functionSection, billions), "section 3: it has"},
		{"tables", entry(tableSection, billions), "section 4: it has"},
		{"globals", entry(globalSection, billions), "section 6: it has"},
		{"exports", entry(exportSection, billions), "section 7: it has"},
		{"an export's name", entry(exportSection, "\x01"+billions), "section 7: it has"},
		{"elements", entry(elementSection, billions), "section 9: it has"},
		{"a segment's elements", entry(elementSection, "\x01\x00\x41\x00\x0b"+billions), "section 9: it has 4294967295 entries, at most 10000000"},
		{"passive elements", entry(elementSection, "\x01\x05\x70"+billions), "section 9: it has"},
		{"code", entry(codeSection, billions), "section 10: it has"},
		{"locals", entry(codeSection, "\x01\x08\x01"+billions+"\x7f\x0b"), "section 10: a function of more than 50000 locals"},
		{"locals in many groups", entry(codeSection, "\x01\x0a\x02\xff\xff\x02\x7f\xff\xff\x02\x7f\x0b"), "section 10: a function of more than 50000 locals"},
		{"a function's size", entry(codeSection, "\x01"+billions+"\x00\x0b"), "section 10: the module ends"},
		{"data", entry(dataSection, billions), "section 11: it has"},
		{"data that is cut", entry(memorySection, onePage) + entry(dataSection, "\x02"+atOne), "section 11: the module ends"},
		{"a segment's size", entry(dataSection, "\x01\x01"+billions), "section 11: the module ends"},
		{"a custom section's name", entry(customSection, billions), "section 0: it has"},

		{"an empty module", "", ""},
		{"what there is", entry(typeSection, "\x02\x60\x02\x7f\x7e\x01\x7d\x60\x00\x00") +
			entry(importSection, "\x04\x01m\x01f\x00\x00\x01m\x01t\x01\x70\x00\x01\x01m\x01e\x02\x01\x01\x02\x01m\x01g\x03\x7f\x00") +
			entry(functionSection, "\x01\x01") + entry(exportSection, "\x01\x01f\x00\x00") +
			entry(elementSection, "\x02\x00\x41\x00\x0b\x01\x00\x05\x70\x01\xd2\x00\x0b") +
			entry(codeSection, "\x01\x04\x01\x02\x7f\x0b") + entry(dataSection, "\x01\x01\x02ab"), ""},
	} {
		got, err := split([]byte(magic + c.module))
		switch {
		case c.refused == "" && (err != nil || string(got.whole) != magic+c.module):
			t.Errorf("%s: got %q, %v", c.name, got.whole, err)
		case c.refused != "" && (err == nil || !strings.HasPrefix(err.Error(), c.refused)):
			t.Errorf("%s: got error %v, want %q", c.name, err, c.refused)
		}
	}
}

// TestNamesThatAreNotInOrder are left out; they are nobody's fault.
func TestNamesThatAreNotInOrder(t *testing.T) {
	for names, kept := range map[string]bool{
		"\x00\x02\x01m\x01\x04\x01\x00\x01f\x02\x06\x01\x00\x01\x00\x01x\x07\x01?": true,
		"\x01\x05\xff\xff\xff\xff\x0f":                                             false, // functions
		"\x02\x07\x01\x00\xff\xff\xff\xff\x0f":                                     false, // locals
		"\x00\x03\x01m!":                                                           false, // more than the name
		"\x01\x20":                                                                 false, // cut
	} {
		section := entry(customSection, "\x04name"+names)
		got, err := split([]byte(magic + section))
		if err != nil || strings.Contains(string(got.whole), section) != kept {
			t.Errorf("%q: got %q, %v, want kept %v", names, got.whole, err, kept)
		}
	}
}
