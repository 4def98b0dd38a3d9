package http

import (
	"net/http"
	"net/url"
)

// Aged is a secret with a text that FindSecret would refuse by now.
func Aged(s Secret, text string) Secret {
	s.text = text
	return s
}

// Through has requests go through a proxy as net/http finds it, which looks at
// the environment once a process.
func (p *Platform) Through(proxy func(*http.Request) (*url.URL, error)) { p.transport.Proxy = proxy }
