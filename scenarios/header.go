package scenarios

import (
	"strings"

	"github.com/coldcurve/coldcurve/analysis/strict"
)

// notInHeaders are the characters that would end a header.
const notInHeaders = "\x00\r\n"

// variable is where a value is found that is not written out.
type variable struct{ name string }

func variableFields() fields[variable] {
	return fields[variable]{
		key("env", spelled(`^[A-Za-z_][A-Za-z0-9_]*$`, "a variable's name", "letters, digits and _", "SHOP_KEY"), func(v *variable) *string { return &v.name },
			"the environment's variable that holds the value").Must(),
	}
}

// headers are texts by name, written out or in the environment.
func headers() form[map[string]string] {
	const what, example = "headers", "X-Api-Key: {env: SHOP_KEY}"
	text, elsewhere := textsWithout(notInHeaders, what, example), variableFields().Form("a header", example)
	return byName(what, example, form[string]{
		Read: func(r *reader, v strict.Value) (string, bool) {
			if !v.IsMap() {
				return text.Read(r, v)
			}
			variable, ok := elsewhere.Read(r, v)
			if !ok || variable.name == "" {
				return "", false
			}
			return r.lookUp(v, variable.name), true
		},
		Schema: schema{"anyOf": []schema{text.Schema, elsewhere.Schema}},
	})
}

// lack is what the environment does not have for a value of the file.
type lack struct {
	value            strict.Value
	problem, instead string
}

// lookUp is what the environment has for a value, nothing where none is asked.
// What is wrong with it is a fault only on the platform that is chosen.
func (r *reader) lookUp(v strict.Value, name string) string {
	if r.overrides.Env == nil {
		return ""
	}
	text := r.overrides.Env(name)
	switch {
	case text == "":
		r.lacks = append(r.lacks, lack{v, "variable " + name + " is not set", "set it in the environment: export " + name + "=..."})
	case strings.ContainsAny(text, notInHeaders):
		r.lacks = append(r.lacks, lack{v, "variable " + name + " holds more than one line", "set it to one line without a line break"})
	}
	return text
}

// checkHeaders reports what the environment lacks for the chosen platform.
func (r *reader) checkHeaders() {
	if r.scenario.Platform.Name != httpPlatform {
		return
	}
	for _, l := range r.lacks {
		l.value.Fault(l.problem, l.instead)
	}
}
