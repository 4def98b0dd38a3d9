package cost

import (
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Host is one of the instances that an option bills from start to end, whether
// or not there are requests.
type Host struct {
	Product  string // the part of the option that it is: "aws/ec2/c7g.large"
	Machine  bool   // a virtual machine, whose memory and vCPUs come with its type; else a container
	MilliCPU int64
	Memory   units.Bytes
	// Baseline is the share of each vCPU that a burstable machine has all the
	// time, and Credits the most CPU time of one vCPU that it saves up; 0 for one
	// that is not burstable.
	Baseline float64
	Credits  time.Duration
	// Unlimited says that it may use more than its baseline, for a price.
	Unlimited bool
	prices.Origin
}

// HostOf is the instance that an option bills, and nil for one that bills calls.
// A container is the smallest that there is with at least so much memory and so
// many thousandths of a vCPU; 0 is the fewest from one vCPU on. An error is an
// [*Impossible] where none is large enough.
func HostOf(book *prices.Book, name string, memory units.Bytes, milli int64) (*Host, error) {
	for id := range strings.SplitSeq(name, "+") {
		s, err := serviceOf(book, id)
		if err != nil {
			return nil, err
		}
		switch {
		case s.instance != nil:
			return machineHost(id, s), nil
		case containers()[id]:
			return containerHost(id, s.product, memory, milli)
		}
	}
	return nil, nil
}

// containers are the products that bill containers from start to end.
func containers() map[string]bool {
	return map[string]bool{
		"aws/fargate": true, "aws/fargate-spot": true, "aws/app-runner": true,
		"gcp/cloud-run/instances": true, "azure/functions-premium": true,
	}
}

func machineHost(id string, s service) *Host {
	i := s.instance
	h := &Host{Product: id, Machine: true, MilliCPU: int64(i.VCPU) * 1000, Memory: i.Memory, Origin: i.Origin}
	if share, burstable := baseline(i); burstable {
		minutes, _ := i.CreditsMost.Rat().Float64()
		h.Baseline, _ = share.Float64()
		h.Credits, h.Unlimited = time.Duration(minutes*float64(time.Minute)), unlimited(s.product, i)
	}
	return h
}

func containerHost(id string, p *prices.Product, memory units.Bytes, milli int64) (*Host, error) {
	h := &Host{Product: id, MilliCPU: milli, Memory: memory}
	if len(p.Sizes) == 0 {
		if h.MilliCPU == 0 {
			h.MilliCPU = 1000
		}
		return h, nil
	}
	found := false
	for _, s := range p.Sizes { // which ascend
		have := thousandths(s.VCPU)
		if milli > 0 && have != milli || found && h.MilliCPU >= 1000 {
			continue
		}
		if size, ok := s.Memory.AtLeast(memory); ok {
			found, h.MilliCPU, h.Memory, h.Origin = true, have, size, s.Origin
		}
	}
	if !found {
		return nil, &Impossible{Product: id, Limit: "vCPU and memory come in certain sizes",
			Have: fmt.Sprintf("%s vCPU with at least %v is none of them", vcpus(milli), memory), Origin: p.Sizes[0].Origin}
	}
	return h, nil
}

// Share is a part of a bill as readers ask for it.
type Share string

const (
	ShareRequests Share = "requests"  // the fee for each request
	ShareDuration Share = "duration"  // the time that requests take
	ShareGateway  Share = "gateway"   // what stands in front of what serves
	ShareTransfer Share = "transfer"  // of payload
	ShareIdle     Share = "instances" // there whether or not requests come
)

// Shares are all of them, in the order to be shown.
func Shares() []Share {
	return []Share{ShareRequests, ShareDuration, ShareGateway, ShareTransfer, ShareIdle}
}

// ByShare divides the bill: the shares sum to its total.
func (b *Bill) ByShare() map[Share]units.Money {
	sum := make(map[Share]units.Money, 5)
	for i := range b.Lines {
		l := &b.Lines[i]
		share := ShareIdle
		switch {
		case l.Driver == ByTransfer:
			share = ShareTransfer
		case inFront(l.Product):
			share = ShareGateway
		case l.Driver == ByRequests:
			share = ShareRequests
		case l.Driver == ByCompute, l.Driver == ByProvisioned:
			share = ShareDuration
		}
		sum[share] += l.Amount
	}
	return sum
}

// inFront says that a product takes requests and has others serve them.
func inFront(product string) bool {
	switch product {
	case "aws/lambda-function-url", "aws/api-gateway-http", "aws/api-gateway-rest", "aws/alb", "aws/nat-gateway", "aws/data-transfer-out", "gcp/egress-premium":
		return true
	}
	return false
}
