package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// seed is what runs of one side may differ in, as long as the other side's
// differ as they do: a comparison by pairs gives each pair a seed of its own.
const seed = "seed"

// unlike names in what the two sides differ that runs must share.
func (c *Comparison) unlike() []string {
	if !c.Paired {
		return unlikeSides(c.Base, c.Head)
	}
	var list []string
	for i := range min(len(c.Base), len(c.Head)) {
		for _, difference := range Unlike(c.Base[i].Kind, c.Head[i].Kind) {
			if !slices.Contains(list, difference) {
				list = append(list, difference)
			}
		}
	}
	slices.Sort(list)
	return list
}

// unlikeSides is what every run of both sides must share and does not. Of seeds
// both sides must have the same, each for the same share of the side's runs:
// twenty runs of one seed can be held against ten.
func unlikeSides(base, head []Trial) []string {
	if len(base) == 0 || len(head) == 0 {
		return nil
	}
	var list []string
	for _, name := range kinds(base, head) {
		if name == "--"+seed { // wherever it came from, it is the seed
			continue
		}
		b, h := valuesOf(base, name), valuesOf(head, name)
		alike := len(b) == 1 && len(h) == 1 && b[0].text == h[0].text
		if name == seed {
			alike = slices.EqualFunc(b, h, func(x, y value) bool { return x.text == y.text && x.n*len(head) == y.n*len(base) })
		}
		if !alike {
			list = append(list, difference(name, b, h))
		}
	}
	return list
}

// kinds are the names of all that runs say of themselves, in their order.
func kinds(sides ...[]Trial) []string {
	all := make(map[string]string)
	for _, side := range sides {
		for i := range side {
			maps.Copy(all, side[i].Kind)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// value is one that n runs of a side have.
type value struct {
	text string
	n    int
}

// valuesOf are the values that a side's runs have, numbers in their order.
func valuesOf(side []Trial, name string) []value {
	n := make(map[string]int)
	for i := range side {
		n[side[i].Kind[name]]++
	}
	list := make([]value, 0, len(n))
	for text, n := range n {
		list = append(list, value{text, n})
	}
	slices.SortFunc(list, func(x, y value) int {
		return cmp.Or(cmp.Compare(len(x.text), len(y.text)), cmp.Compare(x.text, y.text))
	})
	return list
}

// difference says once what each side has: "processor (one, two)", "seed (3, 1, 2
// against 4, 1, 2)". Of many values those come first, and may be all
// that are named, that the other side has not as often.
func difference(name string, base, head []value) string {
	if len(base) == 1 && len(head) == 1 && base[0].text != head[0].text {
		return fmt.Sprintf("%s (%s, %s)", name, orNone(base[0].text), orNone(head[0].text))
	}
	return fmt.Sprintf("%s (%s against %s)", name, inWords(base, head), inWords(head, base))
}

func inWords(values, others []value) string {
	own, shared := []string{}, []string{}
	for _, v := range values {
		words := orNone(v.text)
		if v.n > 1 {
			words += fmt.Sprintf(" in %d runs", v.n)
		}
		if slices.Contains(others, v) {
			shared = append(shared, words)
		} else {
			own = append(own, words)
		}
	}
	return Several(append(own, shared...), ", ")
}

// Unlike names, in their order, in what two kinds of runs differ, with both
// values: "processor (one, two)".
func Unlike(base, head map[string]string) []string {
	return unlikeSides([]Trial{{Kind: base}}, []Trial{{Kind: head}})
}

func orNone(s string) string { return cmp.Or(strings.TrimSpace(s), "none") }
