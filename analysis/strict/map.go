package strict

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Map is a mapping with text keys. The zero Map has none.
type Map struct{ value Value }

// At is where the mapping stands.
func (m Map) At() Position { return m.value.At() }

// Fault reports a fault of the mapping as a whole.
func (m Map) Fault(problem, instead string) { m.value.Fault(problem, instead) }

// Get is the value of a key; of a repeated one the first.
func (m Map) Get(key string) Value {
	for k, v := range m.All() {
		if k.Name() == key {
			return v
		}
	}
	return Value{}
}

// All yields keys with their values in the order of the text.
func (m Map) All() iter.Seq2[Key, Value] {
	return func(yield func(Key, Value) bool) {
		if m.value.node == nil {
			return
		}
		nodes := m.value.node.Content
		for i := 0; i+1 < len(nodes); i += 2 {
			if !yield(Key{Value{nodes[i], m.value.report}}, Value{nodes[i+1], m.value.report}) {
				return
			}
		}
	}
}

// Without is the mapping less the keys that drop picks.
func (m Map) Without(drop func(key string) bool) Map {
	if m.value.node == nil {
		return m
	}
	kept := *m.value.node
	kept.Content = nil
	for k, v := range m.All() {
		if !drop(k.Name()) {
			kept.Content = append(kept.Content, k.value.node, v.node)
		}
	}
	return Map{Value{&kept, m.value.report}}
}

// Key is a key of a mapping, with its place.
type Key struct{ value Value }

// Name is the key itself; "" for one that is not plain text.
func (k Key) Name() string {
	if !k.value.IsScalar() {
		return ""
	}
	return k.value.node.Value
}

// At is where the key stands.
func (k Key) At() Position { return k.value.At() }

// Fault reports a fault of the key.
func (k Key) Fault(problem, instead string) { k.value.Fault(problem, instead) }

// Unknown reports a key that a mapping cannot have, with the nearest that it can.
func (k Key) Unknown(where string, allowed []string) {
	if !k.value.IsScalar() || k.value.node.Tag == "!!merge" {
		return // reported by inspect
	}
	k.Fault(fmt.Sprintf("unknown key %s in %s", Quote(k.Name()), where), Instead(k.Name(), allowed))
}

// Instead says which of the allowed words was probably meant, and lists them,
// each once.
func Instead(word string, allowed []string) string {
	allowed = distinct(allowed)
	list := strings.Join(allowed, ", ")
	if near, ok := Nearest(word, allowed); ok {
		if len(allowed) == 1 {
			return "write " + near
		}
		return fmt.Sprintf("write %s (there are: %s)", near, list)
	}
	if len(allowed) == 1 {
		return "write " + list
	}
	return "write one of: " + list
}

// distinct is words without those that stand before.
func distinct(words []string) []string {
	var list []string
	for _, w := range words {
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// Nearest is the word that differs least from the given one, if it differs by
// less than half of it.
func Nearest(word string, words []string) (string, bool) {
	best, least := "", (len([]rune(word))+1)/2
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	return best, best != ""
}

// Near is the words that differ from the given one by less than half of it,
// the nearest first, at most so many. Words that begin with it come last.
func Near(word string, words []string, most int) []string {
	type candidate struct {
		word     string
		distance int
	}
	limit := (len([]rune(word)) + 1) / 2
	var near []candidate
	for _, w := range distinct(words) {
		d := distance(strings.ToLower(word), strings.ToLower(w))
		if d >= limit && word != "" && strings.HasPrefix(w, word) {
			d = limit - 1
		}
		if d < limit {
			near = append(near, candidate{w, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var list []string
	for _, c := range near[:min(most, len(near))] {
		list = append(list, c.word)
	}
	return list
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment). Words of absurd
// length are far from everything.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return max(len(x), len(y))
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			replace := rows[i-1][j-1]
			if x[i-1] != y[j-1] {
				replace++
			}
			rows[i][j] = slices.Min([]int{rows[i-1][j] + 1, rows[i][j-1] + 1, replace})
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
