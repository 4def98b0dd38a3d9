package catalog

import (
	"regexp"
	"strings"
)

var (
	qualifierName = regexp.MustCompile(`^(\$LATEST|[a-zA-Z0-9-_]{1,128})$`)

	functionName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	aliasName    = regexp.MustCompile(`^[a-zA-Z0-9-_]*[a-zA-Z-_][a-zA-Z0-9-_]*$`) // not a number
)

// longestAlias is the most characters of an alias's name.
const longestAlias = 128

const namePattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`

// arn is a function's ARN, or with a qualifier one of its versions' or aliases'.
func (c *Catalog) arn(name, qualifier string) string {
	if qualifier == "" {
		return c.arnPrefix + name
	}
	return c.arnPrefix + name + ":" + qualifier
}

// split takes a name apart as callers write it: name, account:function:name or
// an ARN, each with a qualifier after it or without. It does not allocate. It is
// not ok where the name is somebody else's ARN or no name at all.
func (c *Catalog) split(full string) (name, qualifier string, ok bool) {
	rest := full
	if strings.IndexByte(full, ':') < 0 {
		return full, "", true
	}
	switch {
	case strings.HasPrefix(full, c.arnPrefix):
		rest = full[len(c.arnPrefix):]
	case strings.HasPrefix(full, "arn:"):
		return "", "", false
	default:
		if after, ours := strings.CutPrefix(rest, c.account); ours && strings.HasPrefix(after, ":function:") {
			rest = after[1:]
		}
		rest = strings.TrimPrefix(rest, "function:")
	}
	name, qualifier, _ = strings.Cut(rest, ":")
	return name, qualifier, strings.IndexByte(qualifier, ':') < 0
}

// named gives the function that a caller means, and the qualifier, "" if there
// is none. Whether the qualifier leads to something is not asked.
func (c *Catalog) named(full, qualifier string) (*function, string, error) {
	name, within, ok := c.split(full)
	if !ok {
		return nil, "", c.unnamed(full)
	}
	if within != "" {
		if qualifier != "" && qualifier != within {
			return nil, "", invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		qualifier = within
	}
	if f := (*c.table.Load())[name]; f != nil {
		return f, qualifier, nil
	}
	if !functionName.MatchString(name) {
		return nil, "", c.unnamed(full)
	}
	return nil, "", functionNotFound(c.arn(name, qualifier))
}

// unqualified refuses a qualifier that leads nowhere.
func (c *Catalog) unqualified(name, qualifier string) *Error {
	if !qualifierName.MatchString(qualifier) {
		return violation(qualifier, "qualifier", "Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)")
	}
	return functionNotFound(c.arn(name, qualifier))
}

// unnamed refuses what is not the name of a function here.
func (c *Catalog) unnamed(full string) *Error {
	if strings.HasPrefix(full, "arn:") && !strings.HasPrefix(full, c.arnPrefix) {
		return functionNotFound(full) // of another account or region: nothing is there
	}
	return violation(full, "functionName", "Member must satisfy regular expression pattern: "+namePattern)
}

// newName gives the bare name of a function that is to be created.
func (c *Catalog) newName(full string) (string, error) {
	name, qualifier, ok := c.split(full)
	if !ok || qualifier != "" || !functionName.MatchString(name) {
		return "", violation(full, "functionName", "Member must satisfy regular expression pattern: "+namePattern)
	}
	return name, nil
}

// isFunction says what is wrong with a destination that is to be a function here.
func (c *Catalog) isFunction(destination string) error {
	if _, _, err := c.named(destination, ""); err != nil {
		return invalid("The provided destination config DestinationConfig is invalid: %s is no function here", destination)
	}
	return nil
}

func isNumber(qualifier string) bool {
	return qualifier != "" && strings.Trim(qualifier, "0123456789") == ""
}
