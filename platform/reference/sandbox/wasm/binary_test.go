package wasm

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
)

func entry(id byte, content string) string {
	return string(binary.AppendUvarint([]byte{id}, uint64(len(content)))) + content
}

const (
	onePage  = "\x01\x00\x01"
	atTwo    = "\x00\x41\x02\x0b\x03abc"
	atOne    = "\x00\x41\x01\x0b\x02xy"
	passive  = "\x01\x03abc"
	atGlobal = "\x00\x23\x00\x0b\x03abc"
	atEnd    = "\x00\x41\xff\xff\x03\x0b\x02xy"        // 65535
	negative = "\x00\x41\x7f\x0b\x02xy"                // -1, which is 4 GiB - 1
	farAway  = "\x00\x41\x80\x80\x80\x80\x01\x0b\x01x" // 256 MiB
)

// TestSplit tells what becomes of a module's memory.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, memory, data string
		image              string // "" where the module stays whole
		initial            uint64
	}{
		{"in order", onePage, "\x02" + atOne + atTwo, "\x00xabc", wasmPage},
		{"the later one wins", onePage, "\x02" + atTwo + atOne, "\x00xybc", wasmPage},
		{"passive", onePage, "\x02" + atOne + passive, "", wasmPage},
		{"at a global", onePage, "\x01" + atGlobal, "", wasmPage},
		{"over the end", onePage, "\x01" + atEnd, "", wasmPage},
		{"before the beginning", onePage, "\x01" + negative, "", wasmPage},
		{"mostly holes", "\x01\x00\x80\x80\x02", "\x01" + farAway, "", 32768 * wasmPage},
		{"shared", "\x01\x03\x01\x02", "\x01" + atOne, "", 0},
		{"several", "\x02\x00\x01\x00\x01", "\x01" + atOne, "", 0},
		{"none", onePage, "\x00", "", wasmPage},
	} {
		module := magic + entry(memorySection, c.memory) + entry(dataSection, c.data)
		got, err := split([]byte(module))
		want := layout{whole: []byte(module), code: []byte(module), initial: c.initial}
		if c.image != "" {
			want.code, want.image = []byte(magic+entry(memorySection, c.memory)), []byte(c.image)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(layout{})); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

func TestSplitBoundsTables(t *testing.T) {
	for _, c := range []struct{ tables, want string }{
		{"\x01\x70\x00\x05", "\x01\x70\x01\x05\x80\x80\x40"},
		{"\x01\x70\x01\x05\x09", "\x01\x70\x01\x05\x09"},
		{"\x02\x6f\x01\x05\xff\xff\xff\xff\x0f\x70\x00\x00", "\x02\x6f\x01\x05\x80\x80\x40\x70\x01\x00\x80\x80\x40"},
	} {
		got, err := split([]byte(magic + entry(tableSection, c.tables)))
		if want := magic + entry(tableSection, c.want); err != nil || string(got.code) != want {
			t.Errorf("%q: got %q, %v, want %q", c.tables, got.code, err, want)
		}
	}
	_, err := split([]byte(magic + entry(tableSection, "\x01\x70\x00\xff\xff\xff\xff\x0f")))
	if err == nil || !strings.Contains(err.Error(), "a table has 4294967295 elements") {
		t.Errorf("got %v", err)
	}
}

// FuzzSplit holds a module without its segments to the compiler's opinion of
// the whole one, and their memories to the same content.
func FuzzSplit(f *testing.F) {
	exported := entry(7, "\x01\x03mem\x02\x00")
	for _, data := range []string{"\x02" + atOne + atTwo, "\x01" + passive, "\x01" + atEnd, "\x01" + negative} {
		f.Add([]byte(magic + entry(memorySection, onePage) + exported + entry(dataSection, data)))
	}
	f.Add([]byte(magic + entry(tableSection, "\x01\x70\x00\x05") + entry(memorySection, onePage)))
	ctx := f.Context()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(16))
	defer rt.Close(ctx)
	f.Fuzz(func(t *testing.T, module []byte) {
		parts, err := split(module)
		if err != nil || parts.image == nil {
			return
		}
		whole, wholeErr := rt.InstantiateWithConfig(t.Context(), module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
		bare, bareErr := rt.InstantiateWithConfig(t.Context(), parts.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
		if wholeErr != nil || bareErr != nil {
			if wholeErr == nil && !strings.Contains(bareErr.Error(), "data") {
				t.Fatalf("whole: %v, without segments: %v", wholeErr, bareErr)
			}
			if whole != nil {
				whole.Close(t.Context())
			}
			if bare != nil {
				bare.Close(t.Context())
			}
			return
		}
		defer whole.Close(t.Context())
		defer bare.Close(t.Context())
		if memory := whole.ExportedMemory("mem"); memory != nil {
			got, _ := memory.Read(0, uint32(len(parts.image)))
			rest, _ := memory.Read(uint32(len(parts.image)), memory.Size()-uint32(len(parts.image)))
			if !bytes.Equal(got, parts.image) || len(bytes.Trim(rest, "\x00")) > 0 {
				t.Errorf("image %.80q, memory %.80q", parts.image, got)
			}
		}
	})
}
