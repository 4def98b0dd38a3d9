package reference

import (
	"net"
	"net/http"
	"strconv"

	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// guarded lets pass what this machine's own programs ask, and nothing that a
// web page has a browser ask: a name that was made to resolve to loopback (DNS
// rebinding) stands in Host, a page's address in Origin.
func guarded(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ofThisMachine(r.Host) {
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

// ofThisMachine says whether a request's Host, with a port or without, names
// loopback.
func ofThisMachine(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return isLoopback(host)
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil && isLoopback(name)
}
