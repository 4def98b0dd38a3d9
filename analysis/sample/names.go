package sample

import (
	"fmt"
	"strings"
)

// Starts are all start kinds by value.
func Starts() []Start {
	all := make([]Start, numStarts)
	for i := range all {
		all[i] = Start(i)
	}
	return all
}

// StartOrder is the order in which start kinds are read: from the coldest to
// the warmest, the unknown last.
func StartOrder() []Start {
	return []Start{Cold, Restored, Prewarmed, Queued, Provisioned, Warm, Unknown}
}

// String is the kind's name: "cold".
func (s Start) String() string {
	if s >= numStarts {
		return fmt.Sprintf("Start(%d)", uint8(s))
	}
	return [numStarts]string{"unknown", "warm", "cold", "queued", "prewarmed", "provisioned", "restored"}[s]
}

// ParseStart reads a start kind by its name.
func ParseStart(name string) (Start, error) {
	return parseName(name, "start kind", numStarts)
}

// MarshalText is the name; a value that is no start kind is an error.
func (s Start) MarshalText() ([]byte, error) { return marshalName(s, "start kind", numStarts) }

// UnmarshalText is [ParseStart].
func (s *Start) UnmarshalText(text []byte) (err error) {
	*s, err = ParseStart(string(text))
	return err
}

// Occasions are all that are known, as they are told apart in figures.
func Occasions() []Occasion { return []Occasion{Forced, Idle, Scaled, Replaced} }

// String is the occasion's name, that of a part of the cold starts:
// "idle-cold"; UnknownOccasion is "".
func (o Occasion) String() string {
	if o >= numOccasions {
		return fmt.Sprintf("Occasion(%d)", uint8(o))
	}
	return [numOccasions]string{"", "forced-cold", "idle-cold", "scaled-cold", "replaced-cold"}[o]
}

// ParseOccasion reads an occasion by its name; "" is UnknownOccasion.
func ParseOccasion(name string) (Occasion, error) {
	return parseName(name, "occasion of a cold start", numOccasions)
}

// MarshalText is the name; a value that is no occasion is an error.
func (o Occasion) MarshalText() ([]byte, error) {
	return marshalName(o, "occasion of a cold start", numOccasions)
}

// UnmarshalText is [ParseOccasion].
func (o *Occasion) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOccasion(string(text))
	return err
}

// String is the grade's name: "attested".
func (g Grade) String() string {
	if g >= numGrades {
		return fmt.Sprintf("Grade(%d)", uint8(g))
	}
	return [numGrades]string{"none", "inferred", "beacon", "observed", "attested"}[g]
}

// ParseGrade reads an evidence grade by its name.
func ParseGrade(name string) (Grade, error) {
	return parseName(name, "evidence grade", numGrades)
}

// MarshalText is the name; a value that is no grade is an error.
func (g Grade) MarshalText() ([]byte, error) { return marshalName(g, "evidence grade", numGrades) }

// UnmarshalText is [ParseGrade].
func (g *Grade) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGrade(string(text))
	return err
}

// String is the kind's name: "timeout"; NoError is "".
func (e ErrorKind) String() string {
	if e >= numErrorKinds {
		return fmt.Sprintf("ErrorKind(%d)", uint8(e))
	}
	return [numErrorKinds]string{"", "dropped", "throttled", "timeout", "handler", "init", "crash", "oom",
		"payload", "refused", "platform", "network", "cancelled"}[e]
}

// ParseErrorKind reads an error kind by its name; "" is NoError.
func ParseErrorKind(name string) (ErrorKind, error) {
	return parseName(name, "error kind", numErrorKinds)
}

// MarshalText is the name; a value that is no error kind is an error.
func (e ErrorKind) MarshalText() ([]byte, error) { return marshalName(e, "error kind", numErrorKinds) }

// UnmarshalText is [ParseErrorKind].
func (e *ErrorKind) UnmarshalText(text []byte) (err error) {
	*e, err = ParseErrorKind(string(text))
	return err
}

// named is an enumeration that counts from 0 and whose values say their names.
type named interface {
	Start | Occasion | Grade | ErrorKind
	String() string
}

func parseName[T named](name, what string, count T) (T, error) {
	for v := T(0); v < count; v++ {
		if v.String() == name {
			return v, nil
		}
	}
	names := make([]string, 0, count)
	for v := T(0); v < count; v++ {
		if v.String() != "" {
			names = append(names, v.String())
		}
	}
	return 0, fmt.Errorf("%q is no %s: write one of %s", name, what, strings.Join(names, ", "))
}

func marshalName[T named](v T, what string, count T) ([]byte, error) {
	if v >= count {
		return nil, fmt.Errorf("marshal %s: %s is none", what, v)
	}
	return []byte(v.String()), nil
}
