package prices

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

func mustPrice(t testing.TB, id, region, dimension string) *Price {
	t.Helper()
	p, err := Open().Lookup(id, region, dimension, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// 15 billion calls of 2,048 ms with 2 GB: the sums are known to the cent.
func TestAmountOverTiers(t *testing.T) {
	p := mustPrice(t, "aws/lambda", "us-east-1", "duration_x86")
	got, err := p.Amount(new(big.Rat).SetFrac64(15e9*2048*2, 1000))
	if err != nil {
		t.Fatal(err)
	}
	want := []units.Money{10_000_020 * units.Cent, 13_500_000 * units.Cent, 61_920_310 * units.Cent}
	if len(got.Parts) != len(want) {
		t.Fatalf("%d parts, want %d", len(got.Parts), len(want))
	}
	for i, part := range got.Parts {
		if part.Amount.Cents() != want[i] {
			t.Errorf("tier %d: got %v, want %v", i, part.Amount, want[i])
		}
	}
}

func TestAmountIsRoundedHalfToEven(t *testing.T) {
	for _, c := range []struct {
		usd      string
		quantity int64
		want     units.Money
	}{
		{"0.0000000005", 1, 0}, {"0.0000000005", 2, 1}, {"0.0000000005", 3, 2}, {"0.0000000005", 5, 2}, {"0.00000000051", 1, 1}, {"0.0000000015", 1, 2}, {"1", 0, 0},
	} {
		usd, _ := ParseDecimal(c.usd)
		p := &Price{Per: 1, Tiers: []Tier{{USD: usd}}}
		if got, err := p.Amount(new(big.Rat).SetInt64(c.quantity)); got.Total != c.want || err != nil {
			t.Errorf("%d at $%s: got %d, %v; want %d", c.quantity, c.usd, got.Total, err, c.want)
		}
	}
}

func TestAmountErrors(t *testing.T) {
	dear := &Price{Product: "x/y", Dimension: "d", Per: 1, Tiers: []Tier{{USD: Whole(1e10)}}}
	if got, err := dear.Amount(big.NewRat(1, 1)); err == nil {
		t.Errorf("ten billion dollars: got %v", got.Total)
	}
	if got, err := dear.Amount(big.NewRat(-1, 1)); err == nil {
		t.Errorf("a negative quantity: got %v", got.Total)
	}
	open := mustPrice(t, "aws/lambda", "me-south-1", "duration_x86")
	if _, err := open.Amount(big.NewRat(6_000_000_000, 1)); err != nil {
		t.Error(err)
	}
	if got, err := open.Amount(big.NewRat(6_000_000_001, 1)); !errors.As(err, new(*Unknown)) {
		t.Errorf("beyond the last known tier: got %v, %v", got.Total, err)
	}
}

// TestAmountProperties: the parts sum to the whole to the nano-dollar, the
// whole is within half a nano-dollar of the exact sum, a price has no jump at
// a tier's end, and more never costs less.
func TestAmountProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		p := &Price{Per: []int64{1, 1000, 1_000_000}[rng.IntN(3)]}
		from := Decimal{}
		for i := range 1 + rng.IntN(4) {
			if i > 0 {
				end := decimal(from.Rat().Add(from.rat(), big.NewRat(1+rng.Int64N(1e9), 8)))
				p.Tiers[i-1].To, from = end, end
			}
			usd, err := ParseDecimal(fmt.Sprintf("%de-%d", rng.Int64N(1e6), 6+rng.IntN(6)))
			if err != nil {
				t.Fatal(err)
			}
			p.Tiers = append(p.Tiers, Tier{From: from, USD: usd})
		}
		less := big.NewRat(rng.Int64N(1e9), 1+rng.Int64N(3600))
		more := new(big.Rat).Add(less, big.NewRat(rng.Int64N(1e6), 7))
		a, b := checkAmount(t, p, less), checkAmount(t, p, more)
		if b < a {
			t.Fatalf("%s cost %v and %s cost %v", less, a, more, b)
		}
		for _, tier := range p.Tiers[1:] {
			checkAmount(t, p, tier.From.rat())
		}
	}
}

func checkAmount(t *testing.T, p *Price, quantity *big.Rat) units.Money {
	t.Helper()
	got, err := p.Amount(quantity)
	if err != nil {
		t.Fatal(err)
	}
	exact, inTiers, sum := new(big.Rat), new(big.Rat), units.Money(0)
	for _, part := range got.Parts {
		sum += part.Amount
		inTiers.Add(inTiers, part.Quantity)
		exact.Add(exact, new(big.Rat).Mul(part.Quantity, part.Tier.USD.rat()))
	}
	exact.Mul(exact, big.NewRat(int64(units.Dollar), p.Per))
	off := exact.Sub(exact, new(big.Rat).SetInt64(int64(got.Total)))
	if sum != got.Total || inTiers.Cmp(quantity) != 0 || off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
		t.Fatalf("%s: parts of %v and %s, total %v, off by %s nano-dollars", quantity, sum, inTiers, got.Total, off.FloatString(3))
	}
	return got.Total
}

func TestRounding(t *testing.T) {
	r := Rounding{Time: 100 * time.Millisecond, LeastTime: time.Second, Size: 128 * units.MB, LeastSize: 128 * units.MB}
	for in, want := range map[time.Duration]time.Duration{0: time.Second, time.Second: time.Second, time.Second + 1: 1100 * time.Millisecond} {
		if got := r.BilledTime(in); got != want {
			t.Errorf("%v is billed as %v, want %v", in, got, want)
		}
	}
	if got := r.BilledSize(129 * units.MB); got != 256*units.MB {
		t.Errorf("129 MB are billed as %v", got)
	}
	if got := (Rounding{}).BilledTime(7); got != 7 {
		t.Errorf("without rounding 7 ns are billed as %v", got)
	}
}

func TestAllowanceLeft(t *testing.T) {
	a := &Allowance{Quantity: Whole(100)}
	for _, c := range []struct{ quantity, used, billed, free int64 }{{40, 0, 0, 60}, {100, 0, 0, 0}, {140, 0, 40, 0}, {40, 90, 30, 0}, {40, 200, 40, 0}} {
		billed, free := a.Left(big.NewRat(c.quantity, 1), big.NewRat(c.used, 1))
		if billed.Cmp(big.NewRat(c.billed, 1)) != 0 || free.Cmp(big.NewRat(c.free, 1)) != 0 {
			t.Errorf("%+v: got %s billed, %s free", c, billed, free)
		}
	}
}

func TestMemory(t *testing.T) {
	steps := Memory{From: 4 * units.GB, To: 16 * units.GB, Step: units.GB}
	listed := Memory{Sizes: []units.Bytes{512 * units.MB, units.GB}}
	for _, c := range []struct {
		m          Memory
		want, have units.Bytes
		ok         bool
	}{
		{steps, 1, 4 * units.GB, true}, {steps, 4*units.GB + 1, 5 * units.GB, true}, {steps, 16 * units.GB, 16 * units.GB, true},
		{steps, 16*units.GB + 1, 0, false}, {listed, 600 * units.MB, units.GB, true}, {listed, 2 * units.GB, 0, false},
	} {
		if got, ok := c.m.AtLeast(c.want); ok != c.ok || ok && got != c.have {
			t.Errorf("%v, at least %v: got %v, %v", c.m, c.want, got, ok)
		}
	}
}

func TestOverlay(t *testing.T) {
	own := `
provider: aws
source: agreement
as_of: 2026-01-15
products:
  - product: aws/lambda
    prices: [{region: us-east-1, dimension: duration_x86, unit: GB-second, usd: 0.00001}, {region: eu-west-1, dimension: requests, unit: request, per: 1000000, usd: 0.2}]
    facts: [{name: account_concurrency, value: 5000}]
  - product: aws/ec2
    types: [{type: c7g.large, region: us-east-1, unit: hour, usd: 0.05}, {type: own.large, region: us-east-1, vcpu: 2, memory: 4GB, arch: arm64, unit: hour, usd: 0.04}]
`
	above, err := Load("own.yaml", []byte(own), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := Open().Overlay(above)
	for _, c := range []struct{ id, region, dimension, usd, rounding string }{
		{"aws/lambda", "us-east-1", "duration_x86", "0.00001", "each invocation's time up to a multiple of 1 ms"},
		{"aws/lambda", "eu-west-1", "requests", "0.2", ""},
		{"aws/lambda", "us-east-1", "requests", "0.2", ""},
		{"aws/ec2/c7g.large", "us-east-1", OnDemand, "0.05", "each instance's time up to a multiple of 1 s, at least 1m"},
		{"aws/ec2/own.large", "us-east-1", OnDemand, "0.04", ""},
		{"aws/ec2/c7g.xlarge", "us-east-1", OnDemand, "0.145", "each instance's time up to a multiple of 1 s, at least 1m"},
		{"gcp/cloud-run", "us-central1", "requests", "0.4", ""},
	} {
		p, err := b.Lookup(c.id, c.region, c.dimension, 0)
		if err != nil || p.Tiers[0].USD.String() != c.usd || p.Rounding.Text() != c.rounding {
			t.Errorf("%s %s: got %+v, %v; want %+v", c.id, c.dimension, p, err, c)
		}
	}
	if m, err := b.Instance("aws/ec2/c7g.large"); err != nil || m.VCPU != 2 {
		t.Errorf("the shape under a price: got %+v, %v", m, err)
	}
	if p := mustPrice(t, "aws/lambda", "us-east-1", "duration_x86"); p.Tiers[0].USD.String() != "0.0000166667" {
		t.Errorf("the overlay changed the book below it to %s", p.Tiers[0].USD)
	}
	lambda, _ := b.Product("aws/lambda")
	if f, err := lambda.Fact("account_concurrency", 0); err != nil || f.Number.String() != "5000" {
		t.Errorf("got %+v, %v", f, err)
	}
}
