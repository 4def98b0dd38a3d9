package cli

import (
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// placeholders names what each flag takes, where neither its tag nor a default
// does: kong would print the name of its Go type.
func placeholders(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && flag.PlaceHolder == "" && !flag.HasDefault {
			flag.PlaceHolder = placeholder(flag)
		}
		return next(nil)
	})
}

func placeholder(flag *kong.Flag) string {
	t := flag.Target.Type()
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	switch reflect.Zero(t).Interface().(type) {
	case bytesFlag:
		return "SIZE"
	case rateFlag, spanFlag:
		return "RATE"
	case shareFlag:
		return "SHARE"
	case duration, groupsFlag:
		return "DURATION"
	case distFlag:
		return "DIST"
	case countFlag, int, uint64:
		return "N"
	case float64:
		return "NUMBER"
	}
	return strings.ToUpper(flag.Name)
}
