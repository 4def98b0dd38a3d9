package study

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
)

// BenchmarkPromises measures how long bills and curves take, by turns in every
// round, prints one table and fails if a promise is broken. The best round is
// judged: what else the machine does only adds. Run it with -benchtime 15x.
func BenchmarkPromises(b *testing.B) {
	promises := []struct {
		what string
		most time.Duration
		do   func()
		took []time.Duration
	}{
		{what: "curve of 10 options x 200 rates, fleets sized, break-even points solved", most: 100 * time.Millisecond, do: tenCurves(b)},
		{what: "bill of a month of a million calls from their histogram", most: time.Millisecond, do: histogramMonth(b)},
		{what: "WorldCup98's 1,352,804,107 requests read, fleets sized, priced for every product", most: 2 * time.Second, do: worldCupMonth(b)},
	}
	for b.Loop() {
		for i := range promises {
			begin := time.Now()
			promises[i].do()
			promises[i].took = append(promises[i].took, time.Since(begin))
		}
	}
	b.ReportMetric(0, "ns/op") // of everything
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "promise\tmedian\tbest\tpromised\tverdict")
	const least = 9
	for _, p := range promises {
		slices.Sort(p.took)
		median, best, verdict := p.took[len(p.took)/2], p.took[0], "kept"
		if best > p.most {
			verdict = "BROKEN"
			if len(p.took) >= least {
				b.Errorf("%s: %v, and at most %v is promised", p.what, best, p.most)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", p.what, units.FormatDuration(median), units.FormatDuration(best), units.FormatDuration(p.most), verdict)
	}
	t.Flush()
	fmt.Printf("\n%d rounds, by turns\n%s", b.N, &text)
	if b.N < least {
		fmt.Printf("%d rounds judge nothing; run it with -benchtime 15x\n", b.N)
	}
}

// tenOptions is a comparison of 10 options at 200 rates.
func tenOptions() Comparison {
	c := published("aws/lambda", "aws/lambda+aws/api-gateway-http", "aws/fargate", "aws/ec2/c7g.large", "aws/ec2/m7g.large+aws/alb",
		"gcp/cloud-run", "azure/functions-flex", "oracle/functions", "digitalocean/functions", "hetzner/cloud/CAX11")
	c.Points, c.Work.Memory = 200, 2048*units.MB
	return c
}

func tenCurves(b *testing.B) func() {
	c := tenOptions()
	return func() {
		if _, err := c.Compare(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// millionCalls is a histogram with about as many bars as one can have.
func millionCalls() *hist.Histogram {
	rng := rand.New(rand.NewPCG(5, 6))
	h := hist.New()
	for range 1_000_000 {
		h.Record(time.Duration(rng.ExpFloat64() * float64(120*time.Millisecond)))
	}
	return h
}

func histogramMonth(b *testing.B) func() {
	h := millionCalls()
	lambda, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{})
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		d, err := cost.FromHistogram(h)
		if err == nil {
			_, err = lambda.Bill(&cost.Work{Requests: h.N(), Durations: d, Memory: 512 * units.MB})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func worldCupMonth(b *testing.B) func() {
	durations, err := cost.FromHistogram(millionCalls())
	if err != nil {
		b.Fatal(err)
	}
	cpu, err := cpuLike(durations, 100*time.Millisecond)
	if err != nil {
		b.Fatal(err)
	}
	book := prices.Open()
	products := everyProduct(b, book)
	return func() {
		requests, busiest := worldCupCounts(b)
		if requests != 1_352_804_107 {
			b.Fatalf("%d requests", requests)
		}
		bills := 0
		for _, name := range products {
			w := cost.Work{Requests: requests, Durations: durations, CPU: durations, Memory: 2 * units.GB, MilliCPU: 1000}
			if err := sizeFor(book, name, &w, cpu, busiest); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
			option, err := cost.New(book, name, cost.Terms{})
			if err != nil {
				b.Fatal(err)
			}
			switch _, err := option.Bill(&w); {
			case err == nil:
				bills++
			case !answer(err):
				b.Fatalf("%s: %v", name, err)
			}
		}
		if bills < 20 {
			b.Fatalf("%d products have a bill", bills)
		}
	}
}

// everyProduct are all that bill work, machines with their first type.
func everyProduct(b *testing.B, book *prices.Book) []string {
	var names []string
	for _, name := range cost.Products() {
		if _, err := cost.New(book, name, cost.Terms{}); err != nil {
			p, err := book.Product(name)
			if err != nil || len(p.Types()) == 0 {
				b.Fatalf("%s: no product, or no types of machine: %v", name, err)
			}
			name += "/" + p.Types()[0]
		}
		names = append(names, name)
	}
	return names
}

// worldCupCounts are all requests, and the busiest minute of each hour.
func worldCupCounts(b *testing.B) (requests uint64, busiest []Stretch) {
	source, err := traffic.OpenFiles(b.Context(), traffic.File{
		Name: "worldcup98", Open: func() (io.ReadCloser, error) { return fixtures.Trace("worldcup98") },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close()
	for f, err := range source.Functions(b.Context()) {
		if err != nil {
			b.Fatal(err)
		}
		for hour := range slices.Chunk(f.Counts, 60) {
			for _, n := range hour {
				requests += uint64(n)
			}
			busiest = append(busiest, Stretch{Length: time.Hour, Rate: units.Rate(float64(slices.Max(hour)) / 60)})
		}
	}
	return requests, busiest
}

// sizeFor gives a work the fleet that carries it, where instances are billed.
func sizeFor(book *prices.Book, name string, w *cost.Work, cpu CPUTime, rates []Stretch) error {
	host, err := cost.HostOf(book, name, w.Memory, w.MilliCPU)
	if _, impossible := errors.AsType[*cost.Impossible](err); impossible {
		return nil // the bill says so
	}
	if err != nil || host == nil {
		return err
	}
	f, err := Size(Need{Rates: rates, CPU: cpu, Goal: queue.Goal{Quantile: .99, Within: 3 * time.Second}}, shapeOf(host), SizeOptions{})
	w.Fleet = cost.Always(uint64(max(1, f.Instances)))
	w.Fleet.Basis = "sized"
	return err
}
