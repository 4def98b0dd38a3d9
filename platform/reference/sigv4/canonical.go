package sigv4

import (
	"cmp"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parameter is one of a query's, both parts encoded as AWS wants them.
type parameter struct{ name, value string }

// readQuery gives a query's parameters in canonical order.
func readQuery(raw string) ([]parameter, error) {
	if raw == "" {
		return nil, nil
	}
	var query []parameter
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, nameErr := reencode(name)
		value, valueErr := reencode(value)
		if err := cmp.Or(nameErr, valueErr); err != nil {
			return nil, incomplete("The query cannot be decoded.")
		}
		query = append(query, parameter{name, value})
	}
	slices.SortFunc(query, func(a, b parameter) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	return query, nil
}

// reencode writes a query's part with everything escaped that is not one of
// RFC 3986's unreserved characters.
func reencode(part string) (string, error) {
	decoded, err := url.QueryUnescape(part)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(url.QueryEscape(decoded), "+", "%20"), nil
}

// appendCanonical appends the canonical request:
//
//	METHOD \n PATH, encoded once more \n QUERY \n
//	name:value \n for each signed header \n
//	SIGNED HEADERS \n HASH OF THE BODY
//
// The path is taken as it was sent. AWS also resolves "//" and ".." in it, which
// its Go SDK does not sign; no operation has such a path.
func appendCanonical(b []byte, r *http.Request, c *claim, payload string) ([]byte, error) {
	b = append(append(b, r.Method...), '\n')
	b = append(appendPath(b, r.URL.EscapedPath()), '\n')
	for i, p := range c.query {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	b = append(b, '\n')
	for _, name := range c.signed {
		values := headerValues(r, name)
		if len(values) == 0 {
			return nil, &Error{InvalidSignature, mismatch}
		}
		b = append(append(b, name...), ':')
		for i, value := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTrimmed(b, value)
		}
		b = append(b, '\n')
	}
	b = append(append(append(b, '\n'), c.signedText...), '\n')
	return append(b, payload...), nil
}

// headerValues gives a header's values, also of the two that net/http keeps
// elsewhere.
func headerValues(r *http.Request, lower string) []string {
	switch lower {
	case "host":
		return []string{r.Host}
	case "content-length":
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	return r.Header[textproto.CanonicalMIMEHeaderKey(lower)]
}

// appendTrimmed appends a value without the spaces around it, and with one
// where there are more within.
func appendTrimmed(b []byte, value string) []byte {
	value = strings.TrimSpace(value)
	for i := range len(value) {
		if value[i] != ' ' || value[i-1] != ' ' {
			b = append(b, value[i])
		}
	}
	return b
}

// appendPath encodes a path, which is encoded already, once more.
func appendPath(b []byte, path string) []byte {
	const digits = "0123456789ABCDEF"
	if path == "" {
		return append(b, '/')
	}
	for i := range len(path) {
		if ch := path[i]; ch == '/' || unreserved(ch) {
			b = append(b, ch)
		} else {
			b = append(b, '%', digits[ch>>4], digits[ch&15])
		}
	}
	return b
}

func unreserved(ch byte) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' ||
		ch == '-' || ch == '_' || ch == '.' || ch == '~'
}
