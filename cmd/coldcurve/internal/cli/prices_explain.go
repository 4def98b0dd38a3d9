package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/reports/text"
)

type pricesExplainCmd struct {
	priceBook
	Product   string `arg:"" help:"As aws/lambda or aws/ec2/c7g.large."`
	Dimension string `arg:"" help:"As duration_x86 or ondemand."`
	Region    string `help:"The default is the first region that the book has for the product."`
	JSON      bool   `name:"json" help:"Print JSON (schema coldcurve.price/v1)."`
}

type priceExplained struct {
	Schema   string        `json:"schema"`
	Price    *prices.Price `json:"price"`
	Example  priceExample  `json:"example"`
	Rounding string        `json:"amount_rounding"`

	Machine     *prices.Instance     `json:"machine,omitempty"` // where the price is a machine's
	Facts       []prices.Fact        `json:"facts"`             // of the product, on the day
	Sizes       []prices.Size        `json:"sizes"`
	Attribution []prices.Attribution `json:"attribution"`
	Caveats     []string             `json:"caveats"` // what is from memory
}

type priceExample struct {
	Quantity prices.Decimal `json:"quantity"`
	USD      string         `json:"amount_usd"`
	Parts    []pricePart    `json:"parts"`
}

type pricePart struct {
	Tier     string `json:"tier"`
	Quantity string `json:"quantity"`
	Price    string `json:"unit_price"`
	USD      string `json:"amount_usd"`
}

const amountRounding = "computed exactly and rounded once, to whole nano-dollars, half to even"

// Run says all about a price, and what else the book knows of its product.
func (c *pricesExplainCmd) Run(w *World) error {
	book, on, err := c.open()
	if err != nil {
		return err
	}
	doc, err := c.explain(book, on)
	if err != nil {
		return mistaken(err)
	}
	if c.JSON {
		return printJSON(w.Stdout, doc)
	}
	return printExplained(w.Stdout, cmp.Or(w.Terminal.Width, 80), doc)
}

func (c *pricesExplainCmd) explain(book *prices.Book, on prices.Date) (*priceExplained, error) {
	parts := strings.SplitN(c.Product, "/", 3)
	product, err := book.Product(strings.Join(parts[:min(2, len(parts))], "/"))
	if err != nil {
		return nil, err
	}
	region := c.Region
	if region == "" {
		region = prices.Global
		if regions := product.Regions(); len(regions) > 0 {
			region = regions[0]
		}
	}
	price, err := book.Lookup(c.Product, region, c.Dimension, on)
	if err != nil {
		return nil, err
	}
	example, err := price.Example()
	if err != nil {
		return nil, err
	}
	doc := &priceExplained{
		Schema: "coldcurve.price/v1", Price: price, Rounding: amountRounding,
		Example: priceExample{Quantity: example.Quantity, USD: example.Amount.Total.USD()},
		Facts:   product.FactsOn(on), Sizes: product.Sizes, Attribution: book.Attribution(product.Provider), Caveats: []string{},
	}
	for _, part := range example.Amount.Parts {
		doc.Example.Parts = append(doc.Example.Parts, pricePart{part.Tier.Range(), part.Quantity.RatString(), price.UnitPrice(part.Tier), part.Amount.USD()})
	}
	if len(parts) == 3 {
		doc.Machine, _ = product.Instance(parts[2]) // a machine with a price may have no known shape
	}
	doc.caveats()
	return doc, nil
}

// caveats collects what nobody looked up.
func (doc *priceExplained) caveats() {
	add := func(what string, from prices.Origin) {
		if c := from.Caveat(); c != "" {
			doc.Caveats = append(doc.Caveats, what+" is "+c)
		}
	}
	for _, f := range doc.Facts {
		add(f.Name, f.Origin)
	}
	for _, s := range doc.Sizes {
		add("the size of "+s.VCPU.String()+" vCPU", s.Origin)
	}
	if doc.Machine != nil {
		add("the shape", doc.Machine.Origin)
	}
}

func printExplained(out io.Writer, width int, doc *priceExplained) error {
	p := doc.Price
	fmt.Fprintf(out, "%s %s in %s\n\n", p.Product, p.Dimension, p.Region)
	tiers := &sheet{width: width, indent: "  "}
	for _, tier := range p.Tiers {
		tiers.row(tier.Range(), p.UnitPrice(tier))
	}
	tiers.print(out)
	fmt.Fprintln(out)
	about := &sheet{width: width, indent: "  "}
	about.row("rounding", p.Rounding.Text())
	if p.Free != nil {
		kind := "free tier, only if asked for"
		if p.Free.Included {
			kind = "included"
		}
		about.row("free", p.Free.Text()+" ("+kind+")")
		about.row("", p.Free.Note)
	}
	if !p.Cap.IsZero() {
		about.row("cap", "$"+p.Cap.String()+" a month an instance")
	}
	about.row("note", p.Note)
	about.row("holds", p.Span.Text())
	about.row("source", said(p.Origin))
	about.row("stands in", fmt.Sprintf("%s:%d", p.File, p.Line))
	about.print(out)
	fmt.Fprintln(out)
	for _, line := range text.Wrap(fmt.Sprintf("%s cost $%s, %s:", p.Quantity(doc.Example.Quantity), doc.Example.USD, doc.Rounding), width) {
		fmt.Fprintln(out, line)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, part := range doc.Example.Parts {
		fmt.Fprintf(t, "%s\tx %s\t= $%s\t\n", part.Quantity, part.Price, part.USD)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	doc.printKnown(out, width)
	return nil
}

// printKnown prints what else the book knows, its sources below it by number.
func (doc *priceExplained) printKnown(out io.Writer, width int) {
	known, sources := &sheet{width: width, indent: "  "}, &sheet{width: width, indent: "  "}
	marks := make(map[string]string)
	cite := func(from prices.Origin) string {
		by := said(from)
		if marks[by] == "" {
			marks[by] = fmt.Sprintf("[%d]", len(marks)+1)
			sources.row(marks[by], by)
		}
		return " " + marks[by]
	}
	if m := doc.Machine; m != nil {
		shape := fmt.Sprintf("%s, %s, %s", count(uint64(m.VCPU), "vCPU"), m.Memory, m.Arch)
		if !m.Credits.IsZero() {
			shape += fmt.Sprintf("; earns %s credits an hour and saves at most %s", m.Credits, m.CreditsMost)
		}
		if m.Baseline.String() != "1" {
			shape += fmt.Sprintf("; for ever %s of each vCPU", m.Baseline)
		}
		if !m.FullMonth.IsZero() {
			shape += fmt.Sprintf("; %s less on demand for a whole month", m.FullMonth)
		}
		known.row("shape", shape+" ("+m.Rule+")"+cite(m.Origin))
	}
	for _, f := range doc.Facts {
		value := f.Value + cite(f.Origin)
		if f.Note != "" {
			value += " " + f.Note
		}
		known.row(f.Name, value)
	}
	for _, s := range doc.Sizes {
		known.row(s.VCPU.String()+" vCPU", s.Memory.String()+cite(s.Origin))
	}
	if len(known.rows) > 0 {
		fmt.Fprintln(out, "\nWhat decides whether and how it can do some work:")
		known.print(out)
		sources.print(out)
	}
	if len(doc.Attribution) == 0 {
		return
	}
	fmt.Fprintln(out, "\nFigures of this provider are from:")
	works := &sheet{width: width, indent: "  "}
	for _, a := range doc.Attribution {
		works.row("-", fmt.Sprintf("%s (%s): %s", a.Work, a.Licence, a.For))
	}
	works.print(out)
}

// said is who says so, when, and how well it is known.
func said(from prices.Origin) string {
	s := fmt.Sprintf("%s, %s (confidence %s)", from.Source, from.AsOf, from.Confidence)
	if c := from.Caveat(); c != "" {
		s += ": " + c
	}
	return s
}
