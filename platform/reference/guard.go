package reference

import (
	"net"
	"net/http"

	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// guarded lets pass what this machine's own programs ask, and nothing that a
// web page has a browser ask: a name that was made to resolve to loopback (DNS
// rebinding) stands in Host, a page's address in Origin.
func guarded(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) {
			lambdaapi.Forbid(w, "Host "+r.Host+" is not this machine")
			return
		}
		if err := crossOrigin.Check(r); err != nil {
			lambdaapi.Forbid(w, "Requests from web pages are not served")
			return
		}
		next.ServeHTTP(w, r)
	})
}
