package cost

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// TestRemedies: a function that is called 100 times a day starts cold each
// time. Every amount is worked out by hand from the price list.
func TestRemedies(t *testing.T) {
	o := open(t, "aws/lambda", Terms{})
	ms := time.Millisecond
	w := Work{Requests: 3000, Durations: Constant(100 * ms), Memory: 1024 * units.MB, Cold: 3000, Init: Constant(400 * ms)}
	priced, unable, err := Remedies(o, w, []Remedy{
		Ready(w, 1, 2900, 100),
		Pings(w, 1, 5*time.Minute, 2*ms, 300),
		Restores(w, Constant(150*ms)),
	})
	if err != nil || unable != nil {
		t.Fatal(err, unable)
	}
	var got []string
	for _, p := range priced {
		got = append(got, p.Name)
	}
	if len(got) != 3 || got[0] != "pings to 1 instance" || got[1] != "snapshots" || got[2] != "1 instance ready" {
		t.Fatalf("%v: want the cheapest avoided cold start first", got)
	}
	// 8,760 pings of 2 ms: $.001752 and 17.52 GB-s; 2,700 inits of .4 s less.
	const perGBs = 16666.7 // nano-dollars
	if want := nanos(1_752_000 + perGBs*17.52 - perGBs*2700*.4); near(priced[0].Extra, want) > 2 || priced[0].Avoided != 2700 {
		t.Errorf("pings cost %v more for %d avoided, want %v for 2700", priced[0].Extra, priced[0].Avoided, want)
	}
	if priced[0].Each != units.Money(quotient(int64(priced[0].Extra), 2700)) || priced[0].Each >= 0 {
		t.Errorf("each avoided one costs %v: inits cost more than these pings", priced[0].Each)
	}
	// A snapshot all month, 3,000 restores of 1 GB, and 150 ms in place of 400.
	if want := nanos(2_628_000*1504.6 + 3000*139_799.8 - perGBs*3000*.25); near(priced[1].Extra, want) > 2 {
		t.Errorf("snapshots cost %v more, want %v", priced[1].Extra, want)
	}
	// Ready all month, 2,900 calls at its own price, 2,900 inits and calls less.
	if want := nanos(2_628_000*4166.7 + 290*9722.2 - perGBs*290 - perGBs*2900*.4); near(priced[2].Extra, want) > 2 {
		t.Errorf("an instance ready costs %v more, want %v", priced[2].Extra, want)
	}
	for share, want := range map[float64]string{1: "pings to 1 instance", .05: "snapshots", .0001: "snapshots", 0: "snapshots"} {
		if p, ok := Hold(priced, share); !ok || p.Name != want {
			t.Errorf("cold share within %v: %s, want %s", share, p.Name, want)
		}
	}
	if p, ok := Hold(priced[:1], .01); ok {
		t.Errorf("%s holds 1%%, with %v", p.Name, p.Share)
	}
}

func nanos(v float64) units.Money { return units.Money(math.Round(v)) }

func near(a, b units.Money) units.Money { return max(a-b, b-a) }

// TestRemedyThatIsNotToBeHad is left out with its reason.
func TestRemedyThatIsNotToBeHad(t *testing.T) {
	w := Work{Requests: 10, Durations: Constant(time.Millisecond), Memory: units.GB, Cold: 5, Init: Constant(time.Millisecond)}
	big := w
	big.Memory = 20 * units.GB
	priced, unable, err := Remedies(open(t, "aws/lambda", Terms{}), w, []Remedy{{"bigger", []*Work{&big}, 0}})
	if _, ok := errors.AsType[*Impossible](unable); err != nil || len(priced) != 0 || !ok {
		t.Errorf("%v, %v, %v", priced, unable, err)
	}
}

// TestTune: a function that computes is as dear at any size up to a whole vCPU,
// and dearer beyond, where it gets no faster; what rounding and the fee for
// requests do is seen.
func TestTune(t *testing.T) {
	o := open(t, "aws/lambda", Terms{})
	sizes := []units.Bytes{128, 256, 512, 1024, 1769, 3008, 20_000}
	var works []Work
	for _, mb := range sizes {
		d := time.Duration(float64(200*time.Millisecond) * 1769 / float64(min(mb, 1769)))
		works = append(works, *calls(1_000_000, d, mb*units.MB))
	}
	tuned, err := Tune(o, works, .5)
	if err != nil {
		t.Fatal(err)
	}
	if tuned.Fastest != 4 || tuned.Balanced != 4 {
		t.Errorf("fastest %v, balanced %v, want 1769 MB: the first of equally fast ones",
			tuned.Sizes[tuned.Fastest].Memory, tuned.Sizes[tuned.Balanced].Memory)
	}
	if c := tuned.Sizes[tuned.Cheapest]; c.Memory > 1769*units.MB {
		t.Errorf("cheapest is %v", c.Memory)
	}
	for i, s := range tuned.Sizes[:5] {
		// $.20 of fee and .3455 GB-s a call, rounding of a step at most on top.
		least, most := 5.958, 5.9586+16.6667*.001*float64(sizes[i])/1024
		if usd := float64(s.PerMillion) / float64(units.Dollar); usd < least || usd > most {
			t.Errorf("%v costs $%.4f a million, want %.4f to %.4f", s.Memory, usd, least, most)
		}
	}
	if _, ok := errors.AsType[*Impossible](tuned.Sizes[6].Err); !ok {
		t.Errorf("20,000 MB: %v", tuned.Sizes[6].Err)
	}
	for _, i := range tuned.Front {
		if i > 4 {
			t.Errorf("%v is on the front, and dearer than what is as fast", tuned.Sizes[i].Memory)
		}
	}
	if byCost, err := Tune(o, works, 1); err != nil || byCost.Balanced != byCost.Cheapest {
		t.Errorf("by cost alone: %+v, %v", byCost, err)
	}
	if none, err := Tune(o, works[6:], .5); err != nil || none.Cheapest != -1 || none.Fastest != -1 || none.Balanced != -1 || none.Front != nil {
		t.Errorf("of sizes that there are not: %+v, %v", none, err)
	}
	if _, err := Tune(o, works, 2); err == nil {
		t.Error("a weight of 2 was taken")
	}
}
