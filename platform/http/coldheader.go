package http

import (
	"net/http"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// coldHeader is what the interceptor of KEDA's HTTP add-on says of each reply,
// whatever it stands in front of: "true" for a request that had the workload
// started from zero, "false" for one that found it running.
// Source: https://keda.sh/http-add-on/1.0/user-guide/configure-cold-start/, as of 2026-11-22.
const coldHeader = "X-Keda-Http-Cold-Start"

// judge says how a request was served, by the function's beacon and by the
// platform where that says something. Their word is not taken where they
// contradict each other.
func (p *Platform) judge(header http.Header, sent, arrived time.Time) platform.Evidence {
	said := header[coldHeader]
	switch {
	case len(said) == 0:
		return p.beacons.Judge(header, sent, arrived)
	case len(said) == 1 && (said[0] == "true" || said[0] == "false"):
		waited := said[0] == "true"
		e := p.beacons.Beside(waited, header, sent, arrived)
		if waited && e.Start == sample.Provisioned {
			e.Start = sample.Queued // for the start that a request before it has caused
		}
		return e
	}
	p.garbled.Add(1)
	return p.beacons.Judge(header, sent, arrived)
}
