package cost

import (
	"math/big"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// TestRecorderBillsAsThePlatformDid holds what is made of samples to what the
// platform billed for each: boot and init of a cold start are one with its
// handler before anything is rounded.
func TestRecorderBillsAsThePlatformDid(t *testing.T) {
	exact, coarse := Recorder{}, Recorder{Step: 100 * time.Microsecond, Anonymous: true}
	var want uint64
	for i := range 500 {
		s := sample.Sample{Function: "f", Sent: time.Second, Done: 2 * time.Second, Start: sample.Warm, Grade: sample.Attested}
		s.Breakdown.Handler = time.Duration(1+i*7919) * time.Microsecond / 3
		billed := s.Breakdown.Handler
		if i%5 == 1 {
			s.Start = sample.Provisioned
		}
		if i%5 == 0 {
			s.Start, s.Breakdown.Boot, s.Breakdown.Init = sample.Cold, 400*time.Microsecond+1, 250*time.Microsecond
			billed += s.Breakdown.Boot + s.Breakdown.Init
		}
		want += uint64((billed + time.Millisecond - 1) / time.Millisecond)
		exact.Add(&s)
		coarse.Add(&s)
	}
	for name, r := range map[string]*Recorder{"exact": &exact, "coarse": &coarse} {
		works, err := r.Works(func(string) units.Bytes { return units.GB })
		if err != nil {
			t.Fatal(err)
		}
		b, err := open(t, "aws/lambda", Terms{}).Bill(&works[0])
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, l := range b.Lines {
			if l.Dimension == "duration_x86" {
				got = Decimal(l.Quantity)
			}
		}
		if seconds := Decimal(big.NewRat(int64(want), 1000)); got != seconds {
			t.Errorf("%s: billed %s GB-seconds, want %s", name, got, seconds)
		}
		if works[0].Cold != 100 || r.Ahead() != 100 || !r.Told() {
			t.Errorf("%s: %d cold, %d ahead, told %v", name, works[0].Cold, r.Ahead(), r.Told())
		}
	}
	if n := len(coarse.Users(func(string) units.Bytes { return 0 })); n != 0 {
		t.Errorf("an anonymous recorder has %d users", n)
	}
}
