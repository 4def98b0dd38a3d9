package prices

import (
	"strings"
	"testing"
)

// TestNothingShippedIsFromMemory: what the book comes with was read somewhere.
func TestNothingShippedIsFromMemory(t *testing.T) {
	b := Open()
	for _, id := range b.Products() {
		p, err := b.Product(id)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, o Origin) {
			if o.Caveat() != "" || o.Confidence != "A" && o.Confidence != "B" {
				t.Errorf("%s:%d: %s %s has confidence %q", o.File, o.Line, id, what, o.Confidence)
			}
		}
		for _, f := range p.Facts {
			check(f.Name, f.Origin)
		}
		for _, s := range p.Sizes {
			check(s.Memory.String(), s.Origin)
		}
		for _, price := range p.All(0) {
			check(price.Dimension, price.Origin)
		}
		for _, name := range p.Types() {
			if m, err := p.Instance(name); err == nil {
				check(name, m.Origin)
			}
		}
	}
}

// TestMemoryIsNoPrice: a fact may be told from memory, and says so; what is paid
// by may not.
func TestMemoryIsNoPrice(t *testing.T) {
	load := func(entries string) error {
		_, err := Load("own.yaml", []byte("provider: own\nregion: r\nsource: s\nas_of: 2026\nproducts: [{product: own/p, "+entries+"}]\n"), nil)
		return err
	}
	for entries, want := range map[string]string{
		"prices: [{dimension: d, unit: GB, usd: 1, confidence: C}]":                                          "the price is from memory",
		"types: [{type: t, vcpu: 1, memory: 1GB, arch: arm64, unit: hour, usd: 1, confidence: C}]":           "the price is from memory",
		"free: [{name: f, quantity: 1, unit: GB, dimensions: [d], confidence: C}]":                           "the allowance is from memory",
		"facts: [{name: memory_max, value: 1GB, confidence: C}]":                                             "",
		"sizes: [{vcpu: 1, memory: [1GB], confidence: C}]":                                                   "",
		"types: [{type: t, vcpu: 1, memory: 1GB, arch: arm64, unit: hour, usd: 1, shape_confidence: C}]":     "",
		"types: [{type: t, vcpu: 1, memory: 1GB, arch: arm64, unit: hour, usd: 1, shape_confidence: maybe}]": "maybe",
	} {
		err := load(entries)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", entries, err, want)
		}
	}
}

// TestShapeHasItsOwnOrigin: who says what a machine costs need not say what it is.
func TestShapeHasItsOwnOrigin(t *testing.T) {
	m, err := Open().Instance("azure/vm/Standard_B2ts_v2")
	if err != nil {
		t.Fatal(err)
	}
	if shape, price := m.Source, m.Prices[0].Source; !strings.Contains(shape, "bsv2-series") || strings.Contains(price, "bsv2-series") || price == "" {
		t.Errorf("the shape is from %q and the price from %q", shape, price)
	}
}
