package prices

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	files "github.com/coldcurve/coldcurve/fixtures/prices"
)

// header is what most faulty files begin with; its product is on line 4.
const header = "provider: x\nsource: s\nas_of: 2026-01-02\nproducts: [{product: x/y, region: r, "

func TestFaults(t *testing.T) {
	price := func(rest string) string {
		return header + "prices: [{dimension: d, unit: GB, " + rest + "}]}]\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"overlap":       {price("tiers: [{from: 0, to: 9, usd: 1}, {from: 8, usd: 2}]"), "overlapping tiers: one ends at 9 and the next begins at 8; write from: 9"},
		"gap":           {price("tiers: [{from: 0, to: 9, usd: 1}, {from: 10, usd: 2}]"), "a gap between tiers: one ends at 9 and the next begins at 10; write from: 9"},
		"late":          {price("tiers: [{from: 1, usd: 1}]"), "a gap: nothing says what the first 1 cost"},
		"endless":       {price("tiers: [{from: 0, usd: 1}, {from: 10, usd: 2}]"), "a tier without to before the last one; add to: 10"},
		"backwards":     {price("tiers: [{from: 0, to: 0.0, usd: 1}, {from: 5, to: 4, usd: 1}]"), "a tier from 5 to 4"},
		"both":          {price("usd: 1, tiers: [{from: 0, usd: 1}]"), "both usd and tiers; write one of them"},
		"no price":      {price("note: n"), "the price has no usd; add usd: 0.20, or tiers"},
		"dollar":        {price("usd: $1"), `a dollar sign in "$1"; write 1`},
		"not a number":  {price("usd: one"), `"one" is not a number`},
		"infinite":      {price("usd: .inf"), `".inf" is not a number`},
		"huge":          {price("usd: 1e999999999"), `"1e999999999" is out of range`},
		"long":          {price("usd: 0.00000000000000000000000000000000000000000000001"), "has more than 40 digits"},
		"unknown key":   {price("usd: 1, teirs: 2"), `unknown key "teirs" in a price; write tiers`},
		"unit":          {header + "prices: [{dimension: d, unit: furlong, usd: 1}]}]", `unknown unit "furlong"`},
		"no unit":       {header + "prices: [{dimension: d, usd: 1}]}]", "the price has no unit; add unit: GB-second"},
		"month":         {price("usd: 1, since: 2026-01"), `"2026-01" is not a day`},
		"span":          {price("usd: 1, since: 2026-01-02, until: 2026-01-02"), "until 2026-01-02, but since 2026-01-02"},
		"no such date":  {price("usd: 1, as_of: 2026-02-30"), `"2026-02-30" is not a date`},
		"duplicate":     {header + "prices: [{dimension: d, unit: GB, usd: 1}, {dimension: d, unit: GB, usd: 2}]}]", "x/y d in r a second time"},
		"overlap dates": {header + "prices: [{dimension: d, unit: GB, usd: 1, until: 2026-02-02}, {dimension: d, unit: GB, usd: 2, since: 2026-02-01}]}]", "x/y d in r a second time"},
		"foreign":       {"provider: x\nsource: s\nas_of: 2026\nproducts: [{product: z/y}]", "product z/y in a file of provider x"},
		"twice":         {"provider: x\nsource: s\nas_of: 2026\nproducts: [{product: x/y}, {product: x/y}]", "product x/y a second time"},
		"fact":          {header + "facts: [{name: memory_most, value: 1GB}]}]", `unknown fact "memory_most"; write memory_`},
		"fact value":    {header + "facts: [{name: memory_max, value: 10240}]}]", "a size needs its unit"},
		"fact word":     {header + "facts: [{name: init_billed, value: some}]}]", `"some" is none of all, except_managed_zip`},
		"half a shape":  {header + "types: [{type: t, vcpu: 2, unit: hour, usd: 1}]}]", "type t has a part of its shape"},
		"steps":         {header + "sizes: [{vcpu: 1, memory: {from: 1GB, to: 4GB, step: 2GB}}]}]", "no number of steps of 2 GB leads from 1 GB to 4 GB"},
		"rounding":      {price("usd: 1, rounding: {each: invocation}"), "rounding of nothing"},
		"allowance":     {header + "prices: [{dimension: d, unit: GB, usd: 1}], free: [{name: f, quantity: 1, unit: hour, dimensions: [d]}]}]", "the allowance is in hour and d in GB; write unit: GB"},
		"no table":      {header + "table: {file: t.csv, dimension: ondemand, shape_source: s, shape_as_of: 2026}}]", "no file t.csv"},
	} {
		_, err := Load("f.yaml", []byte(c.text), func(name string) ([]byte, error) { return nil, errors.New("no file " + name) })
		faults, ok := errors.AsType[strict.Faults](err)
		if !ok {
			t.Errorf("%s: got %v, want faults", name, err)
			continue
		}
		if !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, faults, c.want)
		}
		for _, f := range faults {
			if f.File != "f.yaml" || f.Line < 1 || f.Column < 1 {
				t.Errorf("%s: a fault without a place: %+v", name, f)
			}
		}
	}
}

func TestFaultsOfATable(t *testing.T) {
	text := header + "table: {file: t.csv, dimension: ondemand, shape_source: s, shape_as_of: 2026}}]"
	table := tableHeader + "\na.b,1,2,4096,arm64,,,,own\na.b,1,2,4096,arm64,,,,own\nc.d,1,2\ne.f,-1,,,,,,,own\ng.h,1,2,,arm64,,,,own\n"
	_, err := Load("f.yaml", []byte(text), func(string) ([]byte, error) { return []byte(table), nil })
	want := `t.csv:3:1: type a.b a second time; keep one of them; the first is on line 2
t.csv:4:1: 3 fields; write those of the header: ` + tableHeader + `
t.csv:5:1: "-1" is negative; write as in c7g.large,0.0725,2,4096,arm64,,,,own
t.csv:6:1: "" is no number of MB; write as in c7g.large,0.0725,2,4096,arm64,,,,own`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every file of the book holds to the schema that editors use.
func TestSchema(t *testing.T) {
	schema := stricttest.Schema(t, SchemaJSON())
	valid := func(text []byte) error {
		var root yaml.Node
		if err := yaml.Unmarshal(text, &root); err != nil {
			t.Fatal(err)
		}
		plainDates(&root)
		var value any
		if err := root.Decode(&value); err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	for _, name := range files.Providers() {
		text, err := files.File(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := valid([]byte(header + "prices: [{dimension: d, unit: GB, usd: -1}]}]")); err == nil {
		t.Error("the schema knows nothing of negative prices")
	}
}

// plainDates makes texts of dates, which JSON has no type for.
func plainDates(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, child := range n.Content {
		plainDates(child)
	}
}

// A date that is none is one fault, and none of what inherits it.
func TestOneWrongDateIsOneFault(t *testing.T) {
	text := strings.Replace(header, "2026-01-02", "2026-13-02", 1) + "prices: [{dimension: d, unit: GB, usd: 1}], facts: [{name: memory_max, value: 1GB}]}]"
	_, err := Load("f.yaml", []byte(text), nil)
	if faults, _ := errors.AsType[strict.Faults](err); len(faults) != 1 {
		t.Errorf("got %v, want one fault", err)
	}
}

// FuzzLoad holds whatever is read to what a book promises: prices have tiers
// that meet, a source and a date, and every one of them is found by its name.
func FuzzLoad(f *testing.F) {
	for _, name := range files.Providers() {
		text, err := files.File(name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		if len(text) < 4000 {
			f.Add(text)
		}
	}
	f.Add([]byte(header + "prices: [{dimension: d, unit: GB, tiers: [{from: 0, to: 9, usd: 1}, {from: 9, usd: 2}]}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := Load("f.yaml", text, func(name string) ([]byte, error) { return nil, errors.New("no file " + name) })
		if err != nil {
			if faults, ok := errors.AsType[strict.Faults](err); !ok || len(faults) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, id := range b.Products() {
			p, err := b.Product(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, price := range p.All(0) {
				found, err := b.Lookup(price.Product, price.Region, price.Dimension, 0)
				if err != nil || found != price {
					t.Fatalf("%s %s %s: found %v, %v", price.Product, price.Region, price.Dimension, found, err)
				}
				checkPrice(t, price)
			}
		}
	})
}

func checkPrice(t *testing.T, p *Price) {
	if p.Source == "" || p.AsOf == 0 || p.Unit == "" || p.Per < 1 || len(p.Tiers) == 0 || !p.Tiers[0].From.IsZero() {
		t.Fatalf("%+v", p)
	}
	for i, tier := range p.Tiers[1:] {
		if !p.Tiers[i].To.Equal(tier.From) {
			t.Fatalf("tiers of %s %s do not meet: %v", p.Product, p.Dimension, p.Tiers)
		}
	}
	if example, err := p.Example(); err == nil {
		checkAmount(t, p, example.Quantity.rat())
	}
}

// TestOneMachineCostsLittle: who asks for a machine of one provider pays for
// that provider's file and a search in its table, not for the book. Allocations
// are counted and not time, which says the same on a busy computer; of reading
// everything it is a sixth, and a third may not be passed.
func TestOneMachineCostsLittle(t *testing.T) {
	one := testing.AllocsPerRun(3, func() {
		if _, err := Open().Instance("aws/ec2/c7g.large"); err != nil {
			t.Fatal(err)
		}
	})
	all := testing.AllocsPerRun(3, func() {
		b := Open()
		for _, id := range b.Products() {
			p, err := b.Product(id)
			if err != nil {
				t.Fatal(err)
			}
			p.All(0)
		}
	})
	if one > all/3 {
		t.Errorf("one machine costs %.0f allocations, and everything %.0f", one, all)
	}
}

// What a command pays for the book when it asks for one price, beside what
// reading all of it costs; and what a bill's line costs.
func BenchmarkBook(b *testing.B) {
	b.Run("what=lambda", func(b *testing.B) {
		for b.Loop() {
			if _, err := Open().Lookup("aws/lambda", "us-east-1", "requests", 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("what=machine", func(b *testing.B) {
		for b.Loop() {
			if _, err := Open().Lookup("aws/ec2/c7g.large", "us-east-1", OnDemand, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("what=all", func(b *testing.B) {
		for b.Loop() {
			Open().Products()
		}
	})
	book := Open()
	b.Run("what=lookup", func(b *testing.B) {
		for b.Loop() {
			if _, err := book.Lookup("aws/lambda", "us-east-1", "duration_x86", 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	price := mustPrice(b, "aws/lambda", "us-east-1", "duration_x86")
	quantity := price.Tiers[2].From.Rat()
	b.Run("what=amount", func(b *testing.B) {
		for b.Loop() {
			if _, err := price.Amount(quantity); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestStrayDimensions: an overlay's dimension that the product below does not
// have would never be billed by.
func TestStrayDimensions(t *testing.T) {
	const head = "provider: aws\nregion: us-east-1\nsource: s\nas_of: 2026\nproducts:\n  - product: "
	price := func(dimension string) string {
		return "\n    prices:\n      - {dimension: " + dimension + ", unit: GB-second, usd: 1}\n"
	}
	for text, want := range map[string]string{
		head + "aws/lambda" + price("duration_x68"):   `own.yaml:8:21: aws/lambda has no dimension "duration_x68": nothing would be billed by it; write duration_x86`,
		head + "aws/lambda" + price("duration_x86"):   "",
		head + "aws/lambda" + price("negotiated_x86"): "",
		head + "aws/ours" + price("duration_x68"):     "",
		head + "aws/ec2\n    types:\n      - {type: c7g.large, prices: [{dimension: ondemnad, unit: hour, usd: 1}]}\n": `own.yaml:8:48: aws/ec2 has no dimension "ondemnad": nothing would be billed by it; write ondemand`,
	} {
		_, err := Open().LoadOver("own.yaml", []byte(text), nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
