// Package strict owns the reading of YAML that people write by hand: every
// value keeps its place in the file, and nothing is guessed or passed over.
//
// In: text. Out: one [Value], whose accessors hand over what stands there or
// report a fault with its place and what to write instead. Reading goes on
// after a fault, so that one pass finds them all. Which keys a mapping may have
// is its caller's business, who says it in a table ([Fields]), from which come
// the reading, the faults and the JSON schema.
//
// Left out of YAML on purpose: several documents, anchors, aliases and merges
// (what stands in a file is what counts), explicit tags, repeated keys and
// keys that are not plain text.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Position is a place in the text; lines and columns count from 1.
type Position struct{ Line, Column int }

// Report takes a fault: where, what is wrong, and what to write instead.
type Report func(at Position, problem, instead string)

// Parse reads the one document of text. It is not ok when the document could
// not be read at all; faults within it are reported and can be worked around.
func Parse(text []byte, report Report) (v Value, ok bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) || err == nil && len(root.Content) == 0 {
		report(Position{1, 1}, "the file is empty", "write at least one key and its value; coldcurve schema --help says where they are listed")
		return Value{}, false
	} else if err != nil {
		reportSyntax(text, err, report)
		return Value{}, false
	}
	var next yaml.Node
	if err := decoder.Decode(&next); err == nil {
		report(position(&next), "a second document", "write one document a file")
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(text, err, report)
		return Value{}, false
	}
	inspect(root.Content[0], report)
	return Value{root.Content[0], report}, true
}

// The library's syntax errors are text: "yaml: line 3: did not find ...". Its
// scanner counts lines from 1 and its parser from 0, with no number for the
// first; these are the parser's.
var (
	syntaxLine  = regexp.MustCompile(`^line (\d+): `)
	fromParser  = regexp.MustCompile(`^(did not find expected (<|node content|'-' indicator|key|','))|^found (undefined tag|duplicate %|incompatible)`)
	unknownName = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
)

func reportSyntax(text []byte, err error, report Report) {
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := syntaxLine.FindStringSubmatch(problem); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits; too many of them leave the largest number
		problem = problem[len(m[0]):]
	}
	if fromParser.MatchString(problem) {
		line++
	}
	if m := unknownName.FindStringSubmatch(problem); m != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+m[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	line = min(max(line, 1), 1+bytes.Count(text, []byte("\n")))
	report(Position{line, 1}, "not YAML: "+problem, "check indentation, colons, quotes and brackets around this line")
}

// inspect reports what is left out of YAML, wherever it stands.
func inspect(n *yaml.Node, report Report) {
	if n.Anchor != "" {
		report(position(n), "anchor &"+n.Anchor, "write values out where they are used")
	}
	if n.Kind == yaml.AliasNode {
		report(position(n), "alias *"+n.Value, "write the value out")
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		report(position(n), "tag "+n.Tag, "leave the tag out; quote what is to be text")
	}
	if n.Kind == yaml.MappingNode {
		inspectKeys(n, report)
	}
	for _, child := range n.Content {
		inspect(child, report)
	}
}

func inspectKeys(n *yaml.Node, report Report) {
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		switch first, repeated := lines[key.Value]; {
		case key.Kind == yaml.AliasNode: // reported by inspect
		case key.Kind != yaml.ScalarNode:
			report(position(key), "a key that is not plain text", "write key: value")
		case key.Tag == "!!merge":
			report(position(key), "merge key <<", "write the keys out")
		case repeated:
			report(position(key), fmt.Sprintf("key %s a second time", Quote(key.Value)), fmt.Sprintf("keep one of them; the first is on line %d", first))
		default:
			lines[key.Value] = key.Line
		}
	}
}

func position(n *yaml.Node) Position { return Position{max(n.Line, 1), max(n.Column, 1)} }

// Quote is text for use in a message: on one line, and not longer than is
// needed to recognise it.
func Quote(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "..."
	}
	return strconv.Quote(text)
}

// Value is a value in the text, with its place. The zero Value stands for one
// that is missing: its accessors say no and report nothing.
type Value struct {
	node   *yaml.Node
	report Report
}

// At is where the value stands.
func (v Value) At() Position {
	if v.node == nil {
		return Position{1, 1}
	}
	return position(v.node)
}

// Given says that the value is there.
func (v Value) Given() bool { return v.node != nil }

// Fault reports a fault of this value.
func (v Value) Fault(problem, instead string) {
	if v.node != nil {
		v.report(v.At(), problem, instead)
	}
}

// IsMap says that the value is a mapping.
func (v Value) IsMap() bool { return v.node != nil && v.node.Kind == yaml.MappingNode }

// Has says that the value is a mapping with this key.
func (v Value) Has(key string) bool { return v.IsMap() && (Map{v}).Get(key).Given() }

// IsScalar says that the value is neither a mapping nor a list.
func (v Value) IsScalar() bool { return v.node != nil && v.node.Kind == yaml.ScalarNode }

// IsList says that the value is a list.
func (v Value) IsList() bool { return v.node != nil && v.node.Kind == yaml.SequenceNode }

// what names the kind of value for messages.
func (v Value) what() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch v.node.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return Quote(v.node.Value) + ", a truth value"
	case "!!int", "!!float":
		return v.node.Value + ", a number"
	}
	return Quote(v.node.Value)
}

// mismatch reports a value of the wrong kind. An alias has been reported.
func (v Value) mismatch(want, instead string) {
	if v.node != nil && v.node.Kind != yaml.AliasNode {
		v.Fault("here is "+v.what()+", and "+want+" belongs here", instead)
	}
}

// Text is a text; numbers and truth values want quotes to be one.
func (v Value) Text() (string, bool) {
	if v.IsScalar() && (v.node.Tag == "!!str" || v.node.Tag == "!!timestamp") {
		return v.node.Value, true
	}
	instead := "write a word or a text in quotes"
	if v.IsScalar() && v.node.Tag != "!!null" {
		instead = "put it in quotes: " + Quote(v.node.Value)
	}
	v.mismatch("a text", instead)
	return "", false
}

// Plain is the text of a scalar, if it is one; nothing is reported.
func (v Value) Plain() (string, bool) {
	if !v.IsScalar() {
		return "", false
	}
	return v.node.Value, true
}

// Quantity is the text of a number with or without a unit. The want and its
// example (rate, 100/s) go into the message for anything else.
func (v Value) Quantity(want, example string) (string, bool) {
	if v.IsScalar() {
		switch v.node.Tag {
		case "!!str", "!!int", "!!float", "!!timestamp":
			return v.node.Value, true
		}
	}
	v.mismatch(want, "write for example "+example)
	return "", false
}

// Bool is true or false.
func (v Value) Bool() (value, ok bool) {
	if v.IsScalar() && v.node.Tag == "!!bool" {
		return v.node.Decode(&value) == nil && value, true
	}
	v.mismatch("true or false", "write true or false")
	return false, false
}

// List is the elements of a list.
func (v Value) List(of string) ([]Value, bool) {
	if !v.IsList() {
		v.mismatch("a list of "+of, "begin each with a dash: - ...")
		return nil, false
	}
	values := make([]Value, len(v.node.Content))
	for i, n := range v.node.Content {
		values[i] = Value{n, v.report}
	}
	return values, true
}

// Map is a mapping, with its keys in order. Name says what it describes.
func (v Value) Map(name string) (Map, bool) {
	if !v.IsMap() {
		v.mismatch("a mapping for "+name, "write key: value, or {key: value}")
		return Map{}, false
	}
	return Map{v}, true
}

// JSON is the value as a JSON document, keys in the order of the text.
func (v Value) JSON() ([]byte, bool) {
	if v.node == nil {
		return nil, false
	}
	var out bytes.Buffer
	ok := v.appendJSON(&out)
	return out.Bytes(), ok
}

func (v Value) appendJSON(out *bytes.Buffer) bool {
	switch v.node.Kind {
	case yaml.SequenceNode:
		ok := true
		out.WriteByte('[')
		for i, n := range v.node.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			ok = Value{n, v.report}.appendJSON(out) && ok
		}
		out.WriteByte(']')
		return ok
	case yaml.MappingNode:
		ok := true
		out.WriteByte('{')
		for i := 0; i < len(v.node.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			key, _ := json.Marshal(v.node.Content[i].Value)
			out.Write(key)
			out.WriteByte(':')
			ok = Value{v.node.Content[i+1], v.report}.appendJSON(out) && ok
		}
		out.WriteByte('}')
		return ok
	case yaml.ScalarNode:
		return v.appendScalar(out)
	}
	return false // an alias, which has been reported
}

func (v Value) appendScalar(out *bytes.Buffer) bool {
	var value any = v.node.Value
	switch v.node.Tag {
	case "!!null", "!!bool", "!!int", "!!float":
		if err := v.node.Decode(&value); err != nil {
			v.Fault(Quote(v.node.Value)+" cannot be read", "write a JSON value, or put it in quotes")
			return false
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		v.Fault(Quote(v.node.Value)+" has no place in JSON", "write a finite number, or put it in quotes")
		return false
	}
	out.Write(text)
	return true
}

// Replace puts a text, in quotes, where the value stands; [Value.Encode] has it
// there.
func (v Value) Replace(text string) {
	n := v.node
	n.Kind, n.Tag, n.Style, n.Value, n.Content = yaml.ScalarNode, "!!str", yaml.DoubleQuotedStyle, text, nil
}

// Encode is the value as YAML with its comments. How lines are indented and
// broken is not kept.
func (v Value) Encode() []byte {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(v.node), encoder.Close()); err != nil {
		panic(err) // it came out of a parser, and a buffer takes it all
	}
	return text.Bytes()
}
