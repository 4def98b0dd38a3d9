package cost

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// month is a histogram with about as many bars as one can have.
func month(b *testing.B) *hist.Histogram {
	rng := rand.New(rand.NewPCG(5, 6))
	h := hist.New()
	for range 1_000_000 {
		h.Record(time.Duration(rng.ExpFloat64() * float64(120*time.Millisecond)))
	}
	return h
}

// BenchmarkMonth prices a month of a million calls from their histogram, the
// making of the durations included.
func BenchmarkMonth(b *testing.B) {
	h := month(b)
	o := open(b, "aws/lambda", Terms{})
	for b.Loop() {
		d, err := FromHistogram(h)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := o.Bill(&Work{Requests: h.N(), Durations: d, Memory: 512 * units.MB}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCurve prices 10 options at 200 rates, with a histogram of
// durations.
func BenchmarkCurve(b *testing.B) {
	d, err := FromHistogram(month(b))
	if err != nil {
		b.Fatal(err)
	}
	names := []string{
		"aws/lambda", "aws/lambda+aws/api-gateway-http", "aws/fargate", "aws/ec2/c7g.large", "gcp/cloud-run",
		"azure/functions-consumption", "azure/functions-flex", "oracle/functions", "digitalocean/functions", "hetzner/cloud/CAX11",
	}
	book := prices.Open()
	var curves []Curve
	for _, name := range names {
		w := Work{Requests: 1_000_000, Durations: d, Memory: 2048 * units.MB, MilliCPU: 1000, Fleet: Always(2)}
		if name == "azure/functions-consumption" {
			w.Memory = units.GB
		}
		curves = append(curves, curve(b, book, name, w))
	}
	for b.Loop() {
		for _, price := range curves {
			for i := range 200 {
				if _, err := price(spaced(1000, 1_000_000_000, i, 200)); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}
