package exchange

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// ProxySecrets are what shows the proxies of an environment who asks, as it
// stands there and as it is sent. An address that no parser takes has a password,
// too, and is the one that an error repeats.
func ProxySecrets(env func(string) string) (all []string) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		address := env(name)
		user := address[:max(0, strings.LastIndexByte(address, '@'))]
		if _, rest, found := strings.Cut(user, "://"); found {
			user = rest
		}
		who, password, found := strings.Cut(user, ":")
		if !found {
			password = who // some let in whoever knows a name
		}
		all = append(all, user, password, unescaped(password), Basic(unescaped(who), unescaped(password)))
		// Whose password has one of these is told of its parts: a bad port, a bad path.
		all = append(all, strings.FieldsFunc(password, func(r rune) bool { return strings.ContainsRune("/?#", r) })...)
	}
	return all
}

// unescaped is a part of a URL as it is meant; as it is where it is none.
func unescaped(part string) string {
	text, err := url.PathUnescape(part)
	if err != nil {
		return part
	}
	return text
}

// Basic is what shows a server a user (RFC 7617).
func Basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
