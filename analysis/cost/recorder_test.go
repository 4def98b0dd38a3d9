package cost

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// TestRecordedReadiness is a bill by hand: two instances of 1 GB kept ready for 7
// minutes, which 3 of 10 calls met; all take 100.2 ms.
func TestRecordedReadiness(t *testing.T) {
	var r Recorder
	for i := range 10 {
		s := sample.Sample{Function: "f", Done: time.Second, Start: sample.Warm, Grade: sample.Attested}
		s.Breakdown.Handler = 100*time.Millisecond + 200*time.Microsecond
		if i < 3 {
			s.Start = sample.Provisioned
		}
		r.Add(&s)
	}
	memory := func(string) units.Bytes { return units.GB }
	works, err := r.Works(memory)
	if err != nil {
		t.Fatal(err)
	}
	r.Ready(works, 2, 7*time.Minute)
	b, err := open(t, "aws/lambda", Terms{}).Bill(&works[0])
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, l := range b.Lines {
		got[l.Dimension] = Decimal(l.Quantity)
	}
	want := map[string]string{
		"requests":                    "10",
		"duration_x86":                "0.707", // 7 calls of 101 ms
		"provisioned_duration_x86":    "0.303", // 3
		"provisioned_concurrency_x86": "1200",  // 2 for 10 minutes: by steps of 5
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("quantities (-want +got):\n%s", diff)
	}
	// 10 x .2 + .707 x 16.6667 + .303 x 9.7222 + 1,200 x 4.1667 millionths of a
	// dollar are 5,016.769; each line is rounded.
	if b.Total < 5_016_768 || b.Total > 5_016_771 {
		t.Errorf("it comes to %d nano-dollars, want 5,016,769", b.Total)
	}
	users := r.Users(memory)
	if u := users[0].Usage; u.Provisioned != 3 || u.MemoryTimeProvisioned != 3*101*1024 || u.MemoryTime != 10*101*1024 {
		t.Errorf("its user has %+v", u)
	}
}
