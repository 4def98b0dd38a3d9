package chart

import (
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// role is what a colour is for. Every role has its own colour, so that an
// inline SVG can be rewritten from colours to CSS variables and back.
type role int

const (
	background role = iota
	ink             // text, axes
	faint           // less important text
	grid
	band // every other phase's background
	failed
	cold
	restored
	prewarmed
	queued
	provisioned
	warm
	unknown
	partTrigger
	partQueue
	partProvision
	partBoot
	partInit
	partHandler
	partRest
	level // requests under way
	area  // instances alive
	areaLine
	numRoles
)

// hue is a role's colour on white and on near-black. The start kinds are those
// of Okabe and Ito, which the colour-blind can tell apart, darkened or lightened
// to a contrast of at least 3 against the background; glyph and dash differ too.
type hue struct {
	name        string
	light, dark uint32 // 0xRRGGBB
}

func (r role) hue() hue {
	return [numRoles]hue{
		background:    {"background", 0xFFFFFF, 0x16181D},
		ink:           {"ink", 0x1F2328, 0xE6E8EB},
		faint:         {"faint", 0x5F6670, 0xA0A7B1},
		grid:          {"grid", 0xDDE1E6, 0x343941},
		band:          {"band", 0xF5F6F8, 0x1D2026},
		failed:        {"failed", 0xB00020, 0xFF6B81},
		cold:          {"cold", 0xD55E00, 0xFF9147},
		restored:      {"restored", 0x00795A, 0x2FCB9B},
		prewarmed:     {"prewarmed", 0x8A6D00, 0xE0BD3A},
		queued:        {"queued", 0xA8478A, 0xE68BCB},
		provisioned:   {"provisioned", 0x2A7F9E, 0x6CC9E8},
		warm:          {"warm", 0x0072B2, 0x5AB0F0},
		unknown:       {"unknown", 0x767676, 0x9A9A9A},
		partTrigger:   {"part-trigger", 0xC9D7A8, 0x55692B},
		partQueue:     {"part-queue", 0xEBB5D6, 0x7A3D66},
		partProvision: {"part-provision", 0xF6BC8F, 0x8A4A14},
		partBoot:      {"part-boot", 0xF2DC8B, 0x6E5A0A},
		partInit:      {"part-init", 0xA7DCC8, 0x17614A},
		partHandler:   {"part-handler", 0xA9CDEE, 0x1F5585},
		partRest:      {"part-rest", 0xD5D8DD, 0x4A505A},
		level:         {"level", 0x0072B3, 0x5AB0F1},
		area:          {"area", 0xE3E7EC, 0x2B3038},
		areaLine:      {"area-line", 0x6B7480, 0x98A1AD},
	}[r]
}

// Theme is a set of colours. The zero Theme is Light.
type Theme int

const (
	Light Theme = iota // on white: paper, slides
	Dark               // on near-black
)

func (t Theme) color(r role) color.Color {
	v := r.hue().light
	if t == Dark {
		v = r.hue().dark
	}
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xFF}
}

// Variables is the CSS that an inline SVG draws its colours from: the
// properties --chart-* for light, or dark, backgrounds.
func Variables(t Theme) string {
	var b strings.Builder
	for r := range numRoles {
		h := r.hue()
		v := h.light
		if t == Dark {
			v = h.dark
		}
		fmt.Fprintf(&b, "--chart-%s:#%06X;", h.name, v)
	}
	return b.String()
}

// look is how a start kind appears everywhere.
type look struct {
	role  role
	glyph glyph
	dash  []vg.Length // nil for a solid line
}

func lookOf(s sample.Start) look {
	switch s {
	case sample.Cold:
		return look{cold, triangle, nil}
	case sample.Restored:
		return look{restored, diamond, []vg.Length{8, 2}}
	case sample.Prewarmed:
		return look{prewarmed, wedge, []vg.Length{8, 2, 2, 2}}
	case sample.Queued:
		return look{queued, square, []vg.Length{2, 2}}
	case sample.Provisioned:
		return look{provisioned, plus, []vg.Length{4, 2, 1, 2}}
	case sample.Warm:
		return look{warm, dot, []vg.Length{6, 3}}
	default:
		return look{unknown, ring, []vg.Length{1, 3}}
	}
}
