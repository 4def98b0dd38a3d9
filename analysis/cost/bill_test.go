package cost

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

func open(t testing.TB, name string, terms Terms) Option {
	t.Helper()
	o, err := New(prices.Open(), name, terms)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func bill(t testing.TB, name string, terms Terms, works ...*Work) *Bill {
	t.Helper()
	b, err := open(t, name, terms).Bill(works...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var sum units.Money
	for _, l := range b.Lines {
		sum += l.Amount
	}
	if sum != b.Total {
		t.Errorf("%s: the lines sum to %v, the total is %v", name, sum, b.Total)
	}
	return b
}

func calls(n uint64, d time.Duration, memory units.Bytes) *Work {
	return &Work{Requests: n, Durations: Constant(d), Memory: memory}
}

func dollars(t *testing.T, text string) units.Money {
	t.Helper()
	m, err := units.ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// lineAmounts are a bill's amounts by dimension, in the order of its lines.
func lineAmounts(b *Bill) string {
	var out []string
	for _, l := range b.Lines {
		out = append(out, l.Dimension+" "+FormatQuantity(l.Quantity)+" "+l.Amount.Cents().USD())
	}
	return strings.Join(out, ", ")
}

func day(t *testing.T, text string) prices.Date {
	t.Helper()
	d, err := prices.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestPublishedBills: bills that others have worked out come out to the cent.
func TestPublishedBills(t *testing.T) {
	ms, mb := time.Millisecond, units.MB
	edge := calls(10_000_000, 100*ms, 128*mb)
	for _, c := range []struct {
		what   string
		option string
		terms  Terms
		work   *Work
		total  string
		lines  string
	}{
		{"three million requests within the free tier", "aws/lambda", Terms{FreeTier: true}, calls(3_000_000, 120*ms, 1536*mb), "$2.73",
			"requests 1,000,000 0.00, requests 2,000,000 0.40, duration_x86 400,000 0.00, duration_x86 140,000 2.33"},
		{"the same without", "aws/lambda", Terms{}, calls(3_000_000, 120*ms, 1536*mb), "$9.60",
			"requests 3,000,000 0.60, duration_x86 540,000 9.00"},
		{"all tiers", "aws/lambda", Terms{}, calls(15_000_000_000, 2048*ms, 2048*mb), "$857,203.30",
			"requests 15,000,000,000 3000.00, duration_x86 6,000,000,000 100000.20, duration_x86 9,000,000,000 135000.00, duration_x86 46,440,000,000 619203.10"},
		{"managed instances", "aws/lambda-managed-instances/m7g.xlarge", Terms{Commitment: "savings_plan_3y"},
			&Work{Requests: 100_000_000, Fleet: lives(2000, time.Hour)}, "$160.36",
			"requests 100,000,000 20.00, savings_plan_3y 2,000 91.40, management_fee 326.400 48.96"},
		{"API gateway, both tiers", "aws/api-gateway-http", Terms{}, calls(400_000_000, 100*ms, 128*mb), "$390.00",
			"requests 300,000,000 300.00, requests 100,000,000 90.00"},
		{"a gateway in pieces of 512 KB", "aws/api-gateway-http", Terms{},
			&Work{Requests: 1_000_000, Durations: Constant(ms), Out: 513 * units.KB}, "$2.00", "requests 2,000,000 2.00"},
		{"a worker by its CPU time", "cloudflare/workers-paid", Terms{},
			&Work{Requests: 15_000_000, Durations: Constant(2 * time.Second), CPU: Constant(7 * ms), Memory: 128 * mb}, "$8.00",
			"base 1 5.00, requests 10,000,000 0.00, requests 5,000,000 1.50, cpu 30,000,000 0.00, cpu 75,000,000 1.50"},
		{"Lambda@Edge", "aws/lambda-edge", Terms{}, edge, "$12.25", "requests 10,000,000 6.00, duration 125,000 6.25"},
		{"Azure rounds memory to 128 MB and calls to 100 ms", "azure/functions-consumption", Terms{}, calls(1_000_000, 30*ms, 130*mb), "$0.60",
			"executions 1,000,000 0.20, duration 25,000 0.40"},
		{"a server by its monthly cap", "hetzner/cloud/CX23", Terms{}, &Work{Fleet: Always(2)}, "$12.98", "ondemand 1,248 12.98"},
		{"a server by the hour begun", "hetzner/cloud/CX23", Terms{}, &Work{Fleet: lives(3, 61*time.Minute)}, "$0.06", "ondemand 6 0.06"},
		{"a machine for its least minute", "aws/ec2/c7g.large", Terms{}, &Work{Fleet: lives(3600, time.Second)}, "$4.35", "ondemand 60 4.35"},
		{"a machine with disk and address", "aws/ec2/c7g.large", Terms{},
			&Work{Fleet: &Fleet{Lives: Always(2).Lives, Disk: 8 * units.GB, Address: true}}, "$114.43",
			"ondemand 1,460 105.85, gp3_storage 16 1.28, hour 1,460 7.30"},
		{"tasks with addresses", "aws/fargate", Terms{},
			&Work{Memory: 2 * units.GB, MilliCPU: 1000, Fleet: &Fleet{Lives: Always(2).Lives, Address: true}}, "$79.38",
			"vcpu_x86 1,460 59.10, memory_x86 2,920 12.98, hour 1,460 7.30"},
		{"storage beyond 512 MB, not times memory", "aws/lambda", Terms{},
			&Work{Requests: 1_000_000, Durations: Constant(time.Second), Memory: 1024 * mb, Storage: 10_240 * mb}, "$17.16",
			"requests 1,000,000 0.20, duration_x86 1,000,000 16.67, ephemeral_storage 9,500,000 0.29"},
		{"events of 300 KB are two requests", "aws/lambda", Terms{},
			&Work{Requests: 1_000_000, Async: 1_000_000, AsyncPayload: 300 * units.KB, Durations: Constant(ms), Memory: 128 * mb}, "$0.40",
			"requests 2,000,000 0.40, duration_x86 125 0.00"},
		{"a task of one vCPU and 2 GB all month", "aws/fargate", Terms{}, &Work{Fleet: Always(1), Memory: 2 * units.GB, MilliCPU: 1000}, "$36.04",
			"vcpu_x86 730 29.55, memory_x86 1,460 6.49"},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := bill(t, c.option, c.terms, c.work)
			if b.Total.Cents() != dollars(t, c.total) {
				t.Errorf("%v, want %s", b.Total, c.total)
			}
			if got := lineAmounts(b); got != c.lines {
				t.Errorf("lines:\ngot  %s\nwant %s", got, c.lines)
			}
		})
	}
}

// lives is a fleet of so many instances that run equally long.
func lives(n uint64, d time.Duration) *Fleet {
	all, err := Groups(Group{d, d, n})
	if err != nil {
		panic(err)
	}
	return &Fleet{Lives: all}
}

// TestHistory: the rules of the day decide, and they are the book's.
func TestHistory(t *testing.T) {
	ms := time.Millisecond
	cold := &Work{Requests: 1000, Durations: Constant(100*ms + ms/2), Memory: 1024 * units.MB, Cold: 100, Init: Constant(250 * ms)}
	image := *cold
	image.Package = Image
	for _, c := range []struct {
		what string
		on   string
		work *Work
		ms   int64 // billed
	}{
		{"steps of 100 ms", "2020-11-30", cold, 200 * 1000},
		{"steps of 1 ms", "2020-12-01", cold, 101 * 1000},
		{"init of an image", "2024-01-01", &image, 101*900 + 351*100},
		{"no init of a zip archive", "2025-07-31", cold, 101 * 1000},
		{"init of a zip archive", "2025-08-01", cold, 101*900 + 351*100},
		{"today", "", cold, 101*900 + 351*100},
	} {
		terms := Terms{}
		if c.on != "" {
			terms.On = day(t, c.on)
		}
		b := bill(t, "aws/lambda", terms, c.work)
		for _, l := range b.Lines {
			if want := big.NewRat(c.ms, 1000); l.Driver == ByCompute && l.Quantity.Cmp(want) != 0 {
				t.Errorf("%s: %s GB-s, want %s", c.what, l.Quantity.FloatString(3), want.FloatString(3))
			}
		}
	}
}

// TestFreeTierIsShared: an account has one free tier, whatever the number of
// its functions and their architectures.
func TestFreeTierIsShared(t *testing.T) {
	x86 := calls(600_000, time.Second, 1024*units.MB)
	arm := calls(600_000, time.Second, 1024*units.MB)
	arm.Arch = "arm64"
	b := bill(t, "aws/lambda", Terms{FreeTier: true}, arm, x86)
	const want = "requests 1,000,000 0.00, requests 200,000 0.04, duration_arm64 600,000 8.00, duration_x86 400,000 0.00, duration_x86 200,000 3.33"
	if got := lineAmounts(b); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestTiersCountTheAccount: what several functions use goes into the tiers
// together.
func TestTiersCountTheAccount(t *testing.T) {
	half := calls(7_500_000_000, 2048*time.Millisecond, 2048*units.MB)
	other := *half
	together := bill(t, "aws/lambda", Terms{}, half, &other).Total
	one := bill(t, "aws/lambda", Terms{}, calls(15_000_000_000, 2048*time.Millisecond, 2048*units.MB)).Total
	apart := 2 * bill(t, "aws/lambda", Terms{}, half).Total
	if together != one || together >= apart {
		t.Errorf("together %v, as one %v, apart %v", together, one, apart)
	}
}

// TestRequestFee: it is what 96 ms of 128 MB cost.
func TestRequestFee(t *testing.T) {
	b := bill(t, "aws/lambda", Terms{}, calls(1_000_000, 96*time.Millisecond, 128*units.MB))
	if fee, time := b.Of(ByRequests), b.Of(ByCompute); fee.Cents() != time.Cents() {
		t.Errorf("the request fee is %v, 96 ms cost %v", fee, time)
	}
}

// TestProvisionedConcurrency: it is the cheaper one above 60% use.
func TestProvisionedConcurrency(t *testing.T) {
	memory, call := 1024*units.MB, 100*time.Millisecond
	at := func(use float64) (onDemand, provisioned units.Money) {
		n := uint64(use * Month.Seconds() / call.Seconds())
		w := calls(n, call, memory)
		onDemand = bill(t, "aws/lambda", Terms{}, w).Of(ByCompute)
		w.Provisioned = []Provisioned{{Instances: 1, For: Month, Requests: n}}
		b := bill(t, "aws/lambda", Terms{}, w)
		return onDemand, b.Of(ByProvisioned, ByCompute, Idle)
	}
	if on, pro := at(.599); on >= pro {
		t.Errorf("at 59.9%% use: on demand %v, provisioned %v", on, pro)
	}
	if on, pro := at(.601); on <= pro {
		t.Errorf("at 60.1%% use: on demand %v, provisioned %v", on, pro)
	}
	// What spills over is billed on demand.
	w := calls(1_000_000, call, memory)
	w.Provisioned = []Provisioned{{Instances: 1, For: Month, Requests: 400_000}}
	b := bill(t, "aws/lambda", Terms{}, w)
	const want = "requests 1,000,000 0.20, duration_x86 60,000 1.00, provisioned_concurrency_x86 2,628,000 10.95, provisioned_duration_x86 40,000 0.39"
	if got := lineAmounts(b); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCloudRunByInstance: it is the cheaper one above 75.2% use with one vCPU
// and half a GiB, requests left out.
func TestCloudRunByInstance(t *testing.T) {
	at := func(use float64) (byRequest, byInstance units.Money) {
		busy := time.Duration(use * float64(Month)).Truncate(time.Second)
		w := &Work{Requests: 1, Durations: Constant(time.Second), Memory: 512 * units.MB, MilliCPU: 1000, Active: lives(1, busy).Lives, Fleet: Always(1)}
		return bill(t, "gcp/cloud-run", Terms{}, w).Of(ByCompute), bill(t, "gcp/cloud-run/instances", Terms{}, w).Total
	}
	if r, i := at(.751); r >= i {
		t.Errorf("at 75.1%%: by request %v, by instance %v", r, i)
	}
	if r, i := at(.753); r <= i {
		t.Errorf("at 75.3%%: by request %v, by instance %v", r, i)
	}
}

func TestImpossible(t *testing.T) {
	for _, c := range []struct {
		option string
		work   *Work
		limit  string
		have   string
	}{
		{"aws/lambda", calls(1, 901*time.Second, units.GB), "the longest duration is 15 min", "a call takes 15m1s"},
		{"aws/lambda", calls(1, time.Second, 64*units.MB), "the least memory is 128 MB", "64 MB is asked for"},
		{"aws/lambda", calls(1, time.Second, 11*units.GB), "the most memory is 10 GB", "11 GB is asked for"},
		{"aws/lambda", &Work{Requests: 1, Durations: Constant(1), Memory: units.GB, Out: 7 * units.MB}, "a response may have at most 6 MB", "it has 7 MB"},
		{"aws/lambda", &Work{Requests: 1, Durations: Constant(100 * time.Millisecond), CPU: Constant(100 * time.Millisecond), Memory: 128 * units.MB},
			"128 MB of memory come with 0.072 vCPU (1769 MB with each)", "100 ms of CPU time take 1.38 s there, not 100 ms"},
		{"aws/lambda+aws/api-gateway-http", calls(1, 31*time.Second, units.GB), "the longest duration is 30 s", "a call takes 31.0 s"},
		{"aws/fargate", &Work{Fleet: Always(1), Memory: 3 * units.GB / 2}, "vCPU and memory come in certain sizes", "any vCPU with 1536 MB is none of them: the next is 1 vCPU with 2 GB"},
		{"cloudflare/workers-paid", &Work{Requests: 1, Durations: Constant(1), CPU: Constant(1), Memory: units.GB}, "an instance may have at most 128 MB", "it has 1 GB"},
	} {
		_, err := open(t, c.option, Terms{}).Bill(c.work)
		e, ok := errors.AsType[*Impossible](err)
		if !ok {
			t.Errorf("%s: %v", c.option, err)
			continue
		}
		if e.Limit != c.limit || e.Have != c.have || e.Origin.Source == "" || e.Origin.AsOf == 0 {
			t.Errorf("%s: %q %q (%s, %v), want %q %q and a source", c.option, e.Limit, e.Have, e.Origin.Source, e.Origin.AsOf, c.limit, c.have)
		}
	}
}

// TestFromMemory: what nobody looked up is told as such where it lets work
// through, and where it does not.
func TestFromMemory(t *testing.T) {
	own, err := prices.Load("own.yaml", []byte(`
provider: aws
source: hearsay
as_of: 2026
products:
  - product: aws/lambda
    facts: [{name: duration_max, value: 60s, confidence: C}]
  - product: aws/fargate
    sizes: [{vcpu: 1, memory: [2GB], confidence: C}]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	book := prices.Open().Overlay(own)
	for option, work := range map[string]*Work{
		"aws/lambda": calls(1, time.Second, units.GB), "aws/fargate": {Fleet: Always(1), Memory: 2 * units.GB},
	} {
		o, err := New(book, option, Terms{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := o.Bill(work)
		if err != nil {
			t.Fatal(err)
		}
		if notes := strings.Join(b.Notes, "\n"); strings.Count(notes, "is from memory, not verified") != 1 {
			t.Errorf("%s: the notes are %q", option, notes)
		}
	}
	o, err := New(book, "aws/lambda", Terms{})
	if err != nil {
		t.Fatal(err)
	}
	priced, err := Price([]Option{o}, func(Option) []*Work { return []*Work{calls(1, 2*time.Minute, units.GB)} })
	if err != nil || !strings.HasSuffix(priced[0].Err.Error(), "the limit is from memory, not verified") {
		t.Fatalf("got %v, %v", priced[0].Err, err)
	}
	if got := NewDocument(Traffic{}, false, priced, nil).Bills[0].Impossible; got.Confidence != "C" || got.Caveat == "" {
		t.Errorf("the document has %+v", got)
	}
}

func TestMissing(t *testing.T) {
	for name, quantity := range map[string]string{
		"aws/ec2/c7g.large": "instances", "cloudflare/workers-paid": "CPU time", "aws/ec2": "instances", "aws/fargate": "instances",
	} {
		_, err := open(t, name, Terms{}).Bill(calls(1, 1, 128*units.MB))
		if e, ok := errors.AsType[*Missing](err); !ok || e.Quantity != quantity {
			t.Errorf("%s: %v, want a missing %s", name, err, quantity)
		}
	}
}

// TestEveryProductIsBilled: each product that can be named has a bill for
// ordinary work, in which every line has a source, a date and a rule.
func TestEveryProductIsBilled(t *testing.T) {
	types := map[string]string{
		"aws/ec2": "c7g.large", "gcp/compute-engine": "e2-standard-2", "azure/vm": "Standard_D2s_v5",
		"digitalocean/droplet": "s-2vcpu-4gb", "hetzner/cloud": "CAX11", "aws/lambda-managed-instances": "m7g.xlarge",
	}
	memory := map[string]units.Bytes{
		"cloudflare/workers-paid": 128 * units.MB, "azure/functions-premium": 7 * units.GB / 2, "azure/functions-consumption": units.GB,
	}
	for _, name := range Products() {
		w := &Work{
			Requests: 5_000_000, Durations: Constant(80 * time.Millisecond), CPU: Constant(20 * time.Millisecond),
			Memory: 2 * units.GB, In: 2 * units.KB, Out: 40 * units.KB, Fleet: Always(2),
		}
		if m := memory[name]; m > 0 {
			w.Memory = m
		}
		if name == "gcp/cloud-functions-gen1" {
			w.MilliCPU = 2400
		}
		if of := types[name]; of != "" {
			name += "/" + of
		}
		b := bill(t, name, Terms{}, w)
		if b.Total <= 0 && name != "aws/lambda-function-url" {
			t.Errorf("%s: %v", name, b.Total)
		}
		for _, l := range b.Lines {
			if l.Source == "" || l.AsOf == 0 || l.Rule == "" || l.Unit == "" || l.Driver == "" {
				t.Errorf("%s: %+v lacks something", name, l)
			}
		}
	}
}

func TestUnknownOptions(t *testing.T) {
	for name, want := range map[string]string{
		"aws/lamda":     `no product "aws/lamda" in the price book: did you mean aws/lambda`,
		"aws/ebs":       "product aws/ebs is in the price book, but not something that serves requests by itself",
		"aws/ec2/c7g.x": `no type "c7g.x" for aws/ec2`,
	} {
		if _, err := New(prices.Open(), name, Terms{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s...", name, err, want)
		}
	}
	w := calls(1, 1, 128*units.MB)
	w.Region = "us-west-9"
	if _, err := open(t, "aws/lambda", Terms{}).Bill(w); err == nil || !strings.HasPrefix(err.Error(), `no region "us-west-9" for aws/lambda`) {
		t.Errorf("us-west-9: %v", err)
	}
}

// TestSurplusCredits: a burstable machine pays for what it uses on average
// beyond its baseline, and for nothing below; where that is not sold, it cannot.
func TestSurplusCredits(t *testing.T) {
	using := func(share float64) *Work {
		f := Always(2)
		f.CPU = time.Duration(share * 2 * float64(Month))
		return &Work{Fleet: f}
	}
	requests := calls(39_420_000, 100*time.Millisecond, 0)
	requests.CPU, requests.Fleet = Constant(100*time.Millisecond), Always(2)
	for _, c := range []struct {
		what, option string
		work         *Work
		lines, note  string
	}{
		{"above", "aws/ec2/t3.micro", using(.375), "ondemand 1,460 15.18, surplus_credits_t3 803 40.15", "beyond its baseline of 10% of the vCPUs is billed"},
		{"above on arm64", "aws/ec2/t4g.micro", using(.375), "ondemand 1,460 12.26, surplus_credits_t4g 803 32.12", "unlimited mode"},
		{"by the requests", "aws/ec2/t3.micro", requests, "ondemand 1,460 15.18, surplus_credits_t3 803 40.15", "unlimited mode"},
		{"at the baseline", "aws/ec2/t3.micro", using(.1), "ondemand 1,460 15.18", "below it nothing"},
		{"at the baseline, where no more is sold", "aws/ec2/t2.medium", using(.2), "ondemand 1,460 67.74", "within its baseline of 20%"},
		{"not known", "aws/ec2/t3.micro", using(0), "ondemand 1,460 15.18", "is not known"},
		{"not burstable", "aws/ec2/c7g.large", using(1), "ondemand 1,460 105.85", ""},
	} {
		b := bill(t, c.option, Terms{}, c.work)
		if got := lineAmounts(b); got != c.lines {
			t.Errorf("%s: lines:\ngot  %s\nwant %s", c.what, got, c.lines)
		}
		if notes := strings.Join(b.Notes, " "); !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "baseline") {
			t.Errorf("%s: notes %q, want %q among them", c.what, notes, c.note)
		}
	}
	for _, option := range []string{"azure/vm/Standard_B1s", "aws/ec2/t2.medium", "gcp/compute-engine/e2-micro"} {
		_, err := open(t, option, Terms{}).Bill(using(.375))
		if _, ok := errors.AsType[*Impossible](err); !ok || !strings.Contains(err.Error(), "no more is sold") {
			t.Errorf("%s: %v, want that more than the baseline is not sold", option, err)
		}
	}
}

// TestAlwaysReady: Flex Consumption's always-ready instances bill at least a
// second for each call, and have no free grant.
func TestAlwaysReady(t *testing.T) {
	w := calls(2_628_000, 120*time.Millisecond, 512*units.MB)
	w.Provisioned = []Provisioned{{Instances: 4, For: Month, Requests: 1_628_000}}
	const want = "executions 250,000 0.00, executions 750,000 0.30, always_ready_executions 1,628,000 0.65, " +
		"ondemand_duration 100,000 0.00, ondemand_duration 400,000 10.40, always_ready_baseline 5,256,000 21.02, always_ready_execution 814,000 13.02"
	if got := lineAmounts(bill(t, "azure/functions-flex", Terms{FreeTier: true}, w)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestFullMonth: machines that run all month cost less where the provider has
// it so, on demand only; others do not, and the bill says so.
func TestFullMonth(t *testing.T) {
	const n2 = "gcp/compute-engine/n2-standard-2"
	whole, short := Group{Month, Month, 2}, Group{time.Hour, time.Hour, 10}
	fleet := func(groups ...Group) *Work {
		lives, err := Groups(groups...)
		if err != nil {
			t.Fatal(err)
		}
		return &Work{Fleet: &Fleet{Lives: lives}}
	}
	for _, c := range []struct {
		option string
		terms  Terms
		work   *Work
		lines  string
		noted  bool
	}{
		{n2, Terms{}, fleet(whole), "ondemand 1,460 113.41", false},
		{n2, Terms{}, fleet(short), "ondemand 10 0.97", true},
		{n2, Terms{}, fleet(whole, short), "ondemand 10 0.97, ondemand 1,460 113.41", true},
		{n2, Terms{Commitment: "spot"}, fleet(whole), "spot 1,460 34.31", false},
		{"gcp/compute-engine/e2-standard-2", Terms{}, fleet(whole), "ondemand 1,460 97.83", false},
	} {
		b := bill(t, c.option, c.terms, c.work, c.work)
		if half := bill(t, c.option, c.terms, c.work); lineAmounts(half) != c.lines || 2*half.Total-b.Total > 1 || b.Total-2*half.Total > 1 {
			t.Errorf("%s: %s (%v, twice %v), want %s", c.option, lineAmounts(half), half.Total, b.Total, c.lines)
		}
		if noted := strings.Contains(strings.Join(b.Notes, " "), "20% less for instances that run a whole month is not applied"); noted != c.noted {
			t.Errorf("%s: notes %q", c.option, b.Notes)
		}
	}
	b := bill(t, n2, Terms{}, fleet(whole))
	if rule := b.Lines[0].Rule; !strings.Contains(rule, "20% less for a whole month") || Decimal(b.Lines[0].UnitPrice) != "0.07768" {
		t.Errorf("%s at %s, want the rule to say so and $0.07768", rule, Decimal(b.Lines[0].UnitPrice))
	}
}

// TestNothingAskedForIsDropped: what a product has no price for is refused by
// name, and payloads that nobody knows of are noted.
func TestNothingAskedForIsDropped(t *testing.T) {
	disk, address := Always(2), Always(2)
	disk.Disk, address.Address = 30*units.GB, true
	for _, option := range []string{"aws/app-runner", "gcp/cloud-run/instances", "azure/functions-premium", "aws/lambda-managed-instances/m7g.xlarge", "azure/vm/Standard_D2s_v5"} {
		memory := 2 * units.GB
		if option == "azure/functions-premium" {
			memory = 7 * units.GB / 2
		}
		for name, fleet := range map[string]*Fleet{"disk": disk, "address": address} {
			if strings.HasPrefix(option, "azure/vm") && name == "address" {
				name = "ipv4"
			}
			_, err := open(t, option, Terms{}).Bill(&Work{Memory: memory, Fleet: fleet})
			if err == nil || !strings.Contains(err.Error(), "dimension") || !strings.Contains(err.Error(), name) {
				t.Errorf("%s with %s: %v, want that there is no such dimension", option, name, err)
			}
		}
	}
	w := calls(1000, time.Millisecond, 128*units.MB)
	for _, want := range []bool{true, false} {
		b := bill(t, "aws/lambda+aws/data-transfer-out", Terms{}, w)
		if noted := strings.Contains(strings.Join(b.Notes, " "), "how large responses are is not known"); noted != want {
			t.Errorf("responses of %v: notes %q", w.Out, b.Notes)
		}
		w.Out = units.KB
	}
}

// TestMonthlyPrice: a machine that has a price by the month only is billed by
// it, parts of a month as the provider has them.
func TestMonthlyPrice(t *testing.T) {
	const droplet = "digitalocean/droplet/s-1vcpu-512mb-10gb"
	for want, fleet := range map[string]*Fleet{"ondemand_month 2 8.00": Always(2), "ondemand_month 0.500 2.00": lives(1, 336*time.Hour)} {
		if got := lineAmounts(bill(t, droplet, Terms{}, &Work{Fleet: fleet})); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestOneWithoutAPrice: among several it is shown as such; alone, or where none
// has a bill, it is an error.
func TestOneWithoutAPrice(t *testing.T) {
	fleet := Always(1)
	fleet.Disk = 30 * units.GB
	works := func(Option) []*Work { return []*Work{{Fleet: fleet}} }
	azure, aws := open(t, "azure/vm/Standard_B1s", Terms{}), open(t, "aws/ec2/c7g.large", Terms{})
	list, err := Price([]Option{azure, aws}, works)
	if err != nil || list[0].Err == nil || list[0].Bill != nil || list[1].Bill == nil {
		t.Errorf("%+v, %v, want an error of the first only", list, err)
	}
	if _, err := Price([]Option{azure}, works); err == nil || !strings.Contains(err.Error(), `no dimension "disk"`) {
		t.Errorf("alone: %v", err)
	}
}

// TestDearest: a dimension that a region lacks is billed where it costs most, one
// that it has at its own price. 1,000,000 GB-seconds are $22.10 in af-south-1,
// and $22.92 in ap-east-1, the dearest.
func TestDearest(t *testing.T) {
	for region, want := range map[string]string{"af-south-1": "22.30", "eu-west-1": "23.12", "us-east-1": "16.87"} {
		w := calls(1_000_000, time.Second, units.GB)
		w.Region = region
		b := bill(t, "aws/lambda", Terms{Dearest: true}, w, w)
		if got := (b.Total / 2).Cents().USD(); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
		if noted := strings.Contains(strings.Join(b.Notes, " "), "requests of us-east-1"); noted != (region != "us-east-1") {
			t.Errorf("%s: notes %q", region, b.Notes)
		}
	}
	w := calls(1, time.Second, units.GB)
	w.Region = "eu-west-1"
	if _, err := open(t, "aws/lambda", Terms{}).Bill(w); err == nil {
		t.Error("without being asked for, another region's price is taken")
	}
	o := open(t, "aws/lambda", Terms{Dearest: true, On: day(t, "2021-06-01")})
	if b, err := o.Bill(w); err != nil || b.Lines[1].Region != "us-east-1" {
		t.Errorf("of a day of which others are not known: %+v, %v", b, err)
	}
}

// TestNothingOlderIsKnown: prices of a later day are billed with a note.
func TestNothingOlderIsKnown(t *testing.T) {
	for on, noted := range map[string]bool{"2015-01-01": true, "2026-11-01": false} {
		b := bill(t, "aws/ec2/c7g.large", Terms{On: day(t, on)}, &Work{Fleet: Always(1)})
		if got := strings.Contains(strings.Join(b.Notes, " "), "nothing older than 2026-07-20 is"); got != noted {
			t.Errorf("on %s: notes %q", on, b.Notes)
		}
	}
}

// TestMeanInstances: 2,000 hours of a month are 2.74 instances.
func TestMeanInstances(t *testing.T) {
	fleet, err := Mean(big.NewRat(2000, 730))
	if err != nil {
		t.Fatal(err)
	}
	b := bill(t, "aws/lambda-managed-instances/m7g.xlarge", Terms{Commitment: "savings_plan_3y"}, &Work{Requests: 100_000_000, Fleet: fleet})
	if b.Total.Cents() != dollars(t, "$160.36") {
		t.Errorf("%v, want the published $160.36", b.Total)
	}
	if _, err := Mean(big.NewRat(1, 1<<60)); err == nil {
		t.Error("less than a nanosecond of an instance is taken")
	}
}
