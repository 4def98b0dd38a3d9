package cost

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// sebsPrices are those of the study "SeBS: A Serverless Benchmark Suite for
// Function-as-a-Service Computing" (Copik and others, 2021): Lambda in steps of
// 100 ms beside a t2.micro.
func sebsPrices(t *testing.T, perMillion string) *prices.Book {
	t.Helper()
	text := fmt.Sprintf(`
provider: aws
region: us-east-1
source: SeBS
as_of: 2021
products:
  - product: aws/lambda
    prices:
      - {dimension: requests, unit: request, per: 1000000, usd: %s}
      - {dimension: duration_x86, unit: GB-second, usd: 0.0000166667, rounding: {each: invocation, time: 100ms}}
  - product: aws/ec2
    types:
      - {type: t2.micro, vcpu: 1, memory: 1GB, arch: x86_64, unit: hour, usd: 0.0116}
`, perMillion)
	own, err := prices.Load("sebs.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return prices.Open().Overlay(own)
}

// curve is an option's total over requests a month.
func curve(t testing.TB, book *prices.Book, name string, w Work) Curve {
	t.Helper()
	o, err := New(book, name, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	return func(requests uint64) (units.Money, error) {
		at := w.Times(requests)
		b, err := o.Bill(&at)
		if err != nil {
			return 0, err
		}
		return b.Total, nil
	}
}

// TestSeBSBreakEven: the study's break-even row, in requests an hour, and the
// same with the fee for requests that the study leaves out.
func TestSeBSBreakEven(t *testing.T) {
	rows := []struct {
		memory     units.Bytes
		duration   time.Duration
		perMillion float64 // of the durations, as published
		alone, fee float64 // requests an hour
	}{
		{128 * units.MB, 1650 * time.Millisecond, 3.542, 3275.3, 3100.2},
		{128 * units.MB, 1050 * time.Millisecond, 2.292, 5061.8, 4655.5},
		{256 * units.MB, 850 * time.Millisecond, 3.750, 3093.3, 2936.7},
		{256 * units.MB, 7650 * time.Millisecond, 32.083, 361.6, 359.3},
		{512 * units.MB, 1850 * time.Millisecond, 15.833, 732.6, 723.5},
		{256 * units.MB, 450 * time.Millisecond, 2.083, 5568.0, 5080.3},
	}
	for _, fee := range []string{"0", "0.20"} {
		book := sebsPrices(t, fee)
		for _, r := range rows {
			w := Work{Requests: 1_000_000, Durations: Constant(r.duration), Memory: r.memory, Fleet: Always(1)}
			lambda, machine := curve(t, book, "aws/lambda", w), curve(t, book, "aws/ec2/t2.micro", w)
			if fee == "0" {
				if total, err := lambda(1_000_000); err != nil || math.Abs(float64(total)/float64(units.Dollar)-r.perMillion) > .0005 {
					t.Errorf("%v of %v: %v a million, want $%.3f (%v)", r.duration, r.memory, total, r.perMillion, err)
				}
			}
			found, err := Crossings(lambda, machine, 1000, 100_000_000, 50)
			if err != nil {
				t.Fatal(err)
			}
			want := r.alone
			if fee != "0" {
				want = r.fee
			}
			if len(found) != 1 {
				t.Fatalf("%d crossings, want 1: %+v", len(found), found)
			}
			c := found[0]
			if hour := float64(c.Rate()) * 3600; math.Abs(hour-want) > .05 {
				t.Errorf("%v of %v, fee %s: break-even at %.1f requests/h, want %.1f", r.duration, r.memory, fee, hour, want)
			}
			if !c.Smooth() || !c.FirstBelow || c.Before[0] >= c.Before[1] || c.After[0] < c.After[1] {
				t.Errorf("%+v: want a smooth crossing with Lambda the cheaper one below", c)
			}
		}
	}
}

func TestCrossings(t *testing.T) {
	flat := func(m units.Money) Curve { return func(uint64) (units.Money, error) { return m, nil } }
	linear := func(n uint64) (units.Money, error) { return units.Money(n) * units.Cent, nil }
	steps := func(n uint64) (units.Money, error) { return units.Money(n/1000) * 20 * units.Dollar, nil }
	for _, c := range []struct {
		what     string
		a, b     Curve
		requests []uint64
		smooth   bool
	}{
		{"a line over a level", linear, flat(5 * units.Dollar), []uint64{500}, true},
		{"a level under a line", flat(5 * units.Dollar), linear, []uint64{500}, true},
		{"never", linear, flat(-1), nil, false},
		{"the same", linear, linear, nil, false},
		{"steps over a line, and never back", linear, steps, []uint64{1000}, false},
		{"steps over a level", steps, flat(30 * units.Dollar), []uint64{2000}, false},
	} {
		found, err := Crossings(c.a, c.b, 1, 100_000, 400)
		if err != nil {
			t.Fatal(err)
		}
		var at []uint64
		for _, f := range found {
			at = append(at, f.Requests)
			if f.Smooth() != c.smooth {
				t.Errorf("%s: smooth is %v: %+v", c.what, f.Smooth(), f)
			}
		}
		if fmt.Sprint(at) != fmt.Sprint(c.requests) {
			t.Errorf("%s: crossings at %v, want %v", c.what, at, c.requests)
		}
	}
	if _, err := Crossings(linear, linear, 5, 5, 10); err == nil {
		t.Error("an empty range was searched")
	}
}
