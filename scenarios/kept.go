package scenarios

import (
	"strings"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/platform/secret"
)

// strike replaces in a scenario's document what is for the platform alone, the
// values of headers and what URLs hold of passwords and queries, and says
// whether there was any. It goes by the keys and not by the platform that is
// chosen: of those that are not, options stand in the file, too, unread.
func strike(root strict.Value) (any bool) {
	m, _ := root.Map("the scenario")
	platforms := []strict.Value{m.Get("platform")}
	if platforms[0].IsList() {
		platforms, _ = platforms[0].List("platforms")
	}
	for _, p := range platforms {
		if !p.IsMap() {
			continue
		}
		options, _ := p.Map("platform")
		any = strikeHeaders(options.Get("headers")) || any
		for _, key := range []string{"url", "endpoint_url", "api_host"} {
			v := options.Get(key)
			if text, ok := v.Plain(); ok && struckURL(text) != text {
				v.Replace(struckURL(text))
				any = true
			}
		}
	}
	return any
}

// strikeHeaders strikes all values but names of variables.
func strikeHeaders(headers strict.Value) (any bool) {
	if !headers.IsMap() {
		if headers.Given() {
			headers.Replace(secret.Struck)
		}
		return headers.Given()
	}
	m, _ := headers.Map("headers")
	for _, v := range m.All() {
		if !isVariable(v) {
			v.Replace(secret.Struck)
			any = true
		}
	}
	return any
}

// isVariable says whether a header's value is a variable's name and nothing else.
func isVariable(v strict.Value) bool {
	if !v.IsMap() {
		return false
	}
	m, _ := v.Map("a header")
	for key, name := range m.All() {
		if key.Name() != "env" || !name.IsScalar() {
			return false
		}
	}
	return true
}

// struckURL is a URL without its password (without its user where that has
// none: it is a token then), the values of its query and its fragment, and can
// still be read as one. It may hold the function's mark, which stays.
func struckURL(text string) string {
	const inUser = "%5Bsecret%5D" // secret.Struck, as it may stand before a host
	text, _, _ = strings.Cut(text, "#")
	text, query, asks := strings.Cut(text, "?")
	scheme, rest, absolute := strings.Cut(text, "//")
	if !absolute {
		scheme, rest = "", text
	} else {
		scheme += "//"
	}
	authority, path, below := strings.Cut(rest, "/")
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, _, with := strings.Cut(authority[:i], ":")
		if with {
			user += ":" + inUser
		} else {
			user = inUser
		}
		authority = user + authority[i:]
	}
	text = scheme + authority
	if below {
		text += "/" + path
	}
	if !asks {
		return text
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, named := strings.Cut(pair, "=")
		switch {
		case named:
			pairs[i] = name + "=" + secret.Struck
		case pair != "":
			pairs[i] = secret.Struck
		}
	}
	return text + "?" + strings.Join(pairs, "&")
}
