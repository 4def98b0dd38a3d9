package prices

import (
	"errors"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/units"
	files "github.com/coldcurve/coldcurve/fixtures/prices"
)

// TestEveryFileIsGood reads all that is embedded, tables included, as if a user
// had written it.
func TestEveryFileIsGood(t *testing.T) {
	b := Open()
	for _, name := range b.Providers() {
		text, err := files.File(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		one, err := Load(name+".yaml", text, files.File)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if got := one.Providers(); len(got) != 1 || got[0] != name {
			t.Errorf("%s.yaml is of provider %q", name, got)
		}
		if len(one.Attribution(name)) == 0 {
			t.Errorf("%s.yaml attributes its figures to nobody", name)
		}
	}
}

func TestLookupsAreStrict(t *testing.T) {
	b := Open()
	for _, c := range []struct{ id, region, dimension, on, want string }{
		{"aws/lamda", "us-east-1", "requests", "", `no product "aws/lamda" in the price book: did you mean aws/lambda`},
		{"azur/vm", "eastus", "requests", "", `no product "azur/vm" in the price book: did you mean azure/vm`},
		{"aws/lambda", "us-east-2", "duration_x86", "", `no region "us-east-2" for aws/lambda duration_x86 in the price book: did you mean us-east-1`},
		{"aws/lambda", "us-east-1", "duration_x68", "", `no dimension "duration_x68" for aws/lambda in us-east-1 in the price book: did you mean duration_x86`},
		{"aws/lambda", "us-east-1", "duration_arm64", "2020-01-01", `no price on "2020-01-01" for aws/lambda duration_arm64 in us-east-1`},
		{"aws/lambda", "ap-east-1", "requests", "", `no region "ap-east-1" for aws/lambda requests`},
		{"aws/ec2/c7g.lrge", "us-east-1", OnDemand, "", `no type "c7g.lrge" for aws/ec2 in the price book: did you mean c7g.large`},
		{"aws/ec2/c7g.large", "us-east-1", "reserved_1y", "", `no dimension "reserved_1y" for aws/ec2/c7g.large in us-east-1 in the price book: there are ondemand`},
		{"aws/ec2/c7g.large", "eu-west-1", OnDemand, "", `no region "eu-west-1" for aws/ec2/c7g.large ondemand`},
		{"cloudflare/workers-free", "global", "requests", "", `no region "global" for cloudflare/workers-free`},
		{"", "", "", "", `no product ""`},
	} {
		on, _ := ParseDate(c.on)
		p, err := b.Lookup(c.id, c.region, c.dimension, on)
		unknown, ok := errors.AsType[*Unknown](err)
		if !ok || p != nil {
			t.Errorf("%s %s %s: got %+v, %v; want an Unknown", c.id, c.region, c.dimension, p, err)
			continue
		}
		if !strings.HasPrefix(unknown.Error(), c.want) {
			t.Errorf("%s %s %s:\n got %s\nwant %s...", c.id, c.region, c.dimension, unknown, c.want)
		}
	}
}

// Lambda's rules of counting have changed, and a lookup says which held.
func TestHistory(t *testing.T) {
	b := Open()
	for _, c := range []struct {
		on       string
		rounding string
		tiers    int
		init     string
		most     units.Bytes
	}{
		{"2020-11-30", "each invocation's time up to a multiple of 100 ms", 1, InitExceptManagedZip, 3008 * units.MB},
		{"2020-12-01", "each invocation's time up to a multiple of 1 ms", 1, InitExceptManagedZip, 10 * units.GB},
		{"2022-07-31", "each invocation's time up to a multiple of 1 ms", 1, InitExceptManagedZip, 10 * units.GB},
		{"2022-08-01", "each invocation's time up to a multiple of 1 ms", 3, InitExceptManagedZip, 10 * units.GB},
		{"2025-07-31", "each invocation's time up to a multiple of 1 ms", 3, InitExceptManagedZip, 10 * units.GB},
		{"2025-08-01", "each invocation's time up to a multiple of 1 ms", 3, InitAll, 10 * units.GB},
		{"", "each invocation's time up to a multiple of 1 ms", 3, InitAll, 10 * units.GB},
	} {
		on, _ := ParseDate(c.on)
		price, err := b.Lookup("aws/lambda", "us-east-1", "duration_x86", on)
		if err != nil {
			t.Fatal(err)
		}
		if got := price.Rounding.Text(); got != c.rounding || len(price.Tiers) != c.tiers {
			t.Errorf("on %q: got %q and %d tiers, want %q and %d", c.on, got, len(price.Tiers), c.rounding, c.tiers)
		}
		lambda, _ := b.Product("aws/lambda")
		init, err := lambda.Fact("init_billed", on)
		if err != nil || init.Value != c.init {
			t.Errorf("on %q: init is billed %q, %v; want %q", c.on, init.Value, err, c.init)
		}
		if most, err := lambda.Fact("memory_max", on); err != nil || most.Bytes != c.most {
			t.Errorf("on %q: at most %v, %v; want %v", c.on, most.Bytes, err, c.most)
		}
	}
}

func TestInstances(t *testing.T) {
	b := Open()
	for _, c := range []struct {
		id, arch  string
		vcpu      int
		memory    units.Bytes
		baseline  string
		credits   string
		most, usd string
	}{
		{"aws/ec2/c7g.large", "arm64", 2, 4 * units.GB, "1", "0", "0", "0.0725"},
		{"aws/ec2/c8g.large", "arm64", 2, 4 * units.GB, "1", "0", "0", "0.07976"},
		{"aws/ec2/m7i.large", "x86_64", 2, 8 * units.GB, "1", "0", "0", "0.1008"},
		{"aws/ec2/r7i.4xlarge", "x86_64", 16, 128 * units.GB, "1", "0", "0", "1.0584"},
		{"aws/ec2/c5n.large", "x86_64", 2, 5376 * units.MB, "1", "0", "0", "0.108"},
		{"aws/ec2/t2.micro", "x86_64", 1, 1 * units.GB, "0.1", "6", "144", "0.0116"},
		{"aws/ec2/t2.2xlarge", "x86_64", 8, 32 * units.GB, "0.17", "81.6", "1958.4", "0.3712"},
		{"aws/ec2/t3.medium", "x86_64", 2, 4 * units.GB, "0.2", "24", "576", "0.0416"},
		{"aws/ec2/t4g.small", "arm64", 2, 2 * units.GB, "0.2", "24", "576", "0.0168"},
		{"gcp/compute-engine/e2-small", "x86_64", 2, 2 * units.GB, "0.25", "0", "0", "0.01675"},
	} {
		m, err := b.Instance(c.id)
		if err != nil {
			t.Error(err)
			continue
		}
		if m.VCPU != c.vcpu || m.Memory != c.memory || m.Arch != c.arch || m.Baseline.String() != c.baseline || m.Credits.String() != c.credits || m.CreditsMost.String() != c.most {
			t.Errorf("%s: got %d vCPU, %s, %s, baseline %s, credits %s of at most %s; want %+v", c.id, m.VCPU, m.Memory, m.Arch, m.Baseline, m.Credits, m.CreditsMost, c)
		}
		region := m.Prices[0].Region
		if p, err := m.Price(region, OnDemand, 0); err != nil || p.Tiers[0].USD.String() != c.usd {
			t.Errorf("%s: got %+v, %v; want $%s an hour", c.id, p, err, c.usd)
		}
	}
	if m, err := b.Instance("aws/ec2/g7.24xlarge"); err == nil || !strings.Contains(err.Error(), `no shape (vCPU and memory) of type "g7.24xlarge"`) || !strings.Contains(err.Error(), "vcpu, memory and arch") {
		t.Errorf("a type without a known shape: got %+v, %v", m, err)
	}
}

// A documented family has memory in proportion to its vCPUs, and a burstable
// type earns in an hour what its baseline uses.
func TestShapesOfTheTable(t *testing.T) {
	p, err := Open().Product("aws/ec2")
	if err != nil {
		t.Fatal(err)
	}
	names := p.Types()
	if len(names) != 1367 {
		t.Errorf("%d types, want 1367", len(names))
	}
	shapes := 0
	for _, name := range names {
		m, err := p.Instance(name)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "no shape (vCPU and memory) of type") {
				t.Error(err)
			}
			if price, err := Open().Lookup("aws/ec2/"+name, "us-east-1", OnDemand, 0); err != nil || price.Tiers[0].USD.IsZero() {
				t.Errorf("%s has no shape, and no price either: %v", name, err)
			}
			continue
		}
		shapes++
		want := map[string]units.Bytes{"c7": 2 * units.GB, "c8": 2 * units.GB, "m7": 4 * units.GB, "m8": 4 * units.GB, "r7": 8 * units.GB, "r8": 8 * units.GB}[name[:2]]
		if got := m.Memory / units.Bytes(m.VCPU); want != 0 && got != want {
			t.Errorf("%s: %s a vCPU, want %s", name, got, want)
		}
		if m.Credits.IsZero() {
			if name[0] == 't' && name[1] >= '2' && name[1] <= '4' {
				t.Errorf("%s earns no credits", name)
			}
			continue
		}
		// The documented shares and credits are rounded to three digits.
		baseline, _ := m.Baseline.Rat().Float64()
		credits, _ := m.Credits.Rat().Float64()
		if earned := baseline * 60 * float64(m.VCPU); earned < credits*.99 || earned > credits*1.01 {
			t.Errorf("%s: baseline %s on %d vCPU is %.1f credits an hour, and it earns %s", name, m.Baseline, m.VCPU, earned, m.Credits)
		}
	}
	if shapes != 1344 {
		t.Errorf("%d types have a shape, want all but 23", shapes)
	}
}

// TestUnpricedDimension: where a product's machines are priced in a region, it
// is the dimension that is not.
func TestUnpricedDimension(t *testing.T) {
	for region, want := range map[string]string{"eastus": `no dimension "disk" for azure/vm in eastus`, "eastsu": `no region "eastsu" for azure/vm`} {
		if _, err := Open().Lookup("azure/vm", region, "disk", 0); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", region, err, want)
		}
	}
}
