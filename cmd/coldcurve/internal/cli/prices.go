package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

type pricesCmd struct {
	List     pricesListCmd     `cmd:"" default:"withargs" help:"List products, or the prices of some."`
	Explain  pricesExplainCmd  `cmd:"" help:"Say all about one price, with a computed example."`
	Validate pricesValidateCmd `cmd:"" help:"Check price files of your own."`
	Diff     pricesDiffCmd     `cmd:"" help:"Say what differs between two days, or between two price files."`
}

// priceBook is the flags that choose what is priced by; other commands have
// them, too.
type priceBook struct {
	Prices []string `name:"prices" placeholder:"FILE" help:"A price file whose entries come before the built-in ones: negotiated prices, other regions. May be repeated; the last one comes first."`
	On     string   `name:"on" aliases:"date" placeholder:"DATE" help:"Prices and rules of that day, as 2026-09-19. The default is the newest."`
}

// open is the book with its overlays, and the day.
func (f *priceBook) open() (*prices.Book, prices.Date, error) {
	book := prices.Open()
	for _, path := range f.Prices {
		above, err := loadPrices(path)
		if err != nil {
			return nil, 0, err
		}
		book = book.Overlay(above)
	}
	on, err := parseDay("--on", f.On)
	return book, on, err
}

func parseDay(flag, text string) (prices.Date, error) {
	if text == "" {
		return 0, nil
	}
	on, err := prices.ParseDate(text)
	if err != nil || !on.IsDay() {
		return 0, usage("%s %q is not a day: write it as 2026-09-19", flag, text)
	}
	return on, nil
}

// loadPrices is the book of one file. Tables stand beside it.
func loadPrices(path string) (*prices.Book, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("price file %s: %v: write the path of a YAML file", path, errors.Unwrap(err))
	}
	return prices.Open().LoadOver(path, text, func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(filepath.Dir(path), name))
	})
}

type pricesListCmd struct {
	priceBook
	Product  string `arg:"" optional:"" help:"A product, as aws/lambda or aws/ec2/c7g.large. Without: all products."`
	Provider string `help:"Products of this provider only."`
	Region   string `help:"Prices in this region only, and those that hold everywhere."`
	JSON     bool   `name:"json" help:"Print JSON (schema coldcurve.prices/v1)."`
}

type priceList struct {
	Schema   string         `json:"schema"`
	Products []priceProduct `json:"products"`
}

type priceProduct struct {
	ID     string              `json:"product"`
	Title  string              `json:"title"`
	Types  int                 `json:"types"` // of machines
	Prices []*prices.Price     `json:"prices"`
	Free   []*prices.Allowance `json:"free"`
	Facts  []prices.Fact       `json:"facts"`
	Sizes  []prices.Size       `json:"sizes"`
}

// Run prints a line a product, or a line a price where one is named.
func (c *pricesListCmd) Run(w *World) error {
	book, on, err := c.open()
	if err != nil {
		return err
	}
	if c.Provider != "" && !slices.Contains(book.Providers(), c.Provider) {
		return usage("no provider %q in the price book: there are %s", c.Provider, strings.Join(book.Providers(), ", "))
	}
	doc := priceList{Schema: "coldcurve.prices/v1", Products: []priceProduct{}}
	ids := book.Products()
	if c.Product != "" {
		ids = []string{c.Product}
	}
	for _, id := range ids {
		if c.Provider != "" && !strings.HasPrefix(id, c.Provider+"/") {
			continue
		}
		one, err := c.product(book, id, on)
		if err != nil {
			return mistaken(err)
		}
		doc.Products = append(doc.Products, one)
	}
	switch {
	case c.JSON:
		return printJSON(w.Stdout, doc)
	case c.Product != "":
		printPrices(w, doc.Products[0], c.Region)
	default:
		printProducts(w, doc.Products)
	}
	return nil
}

// product is a product, or one of its types of machine, on a day.
func (c *pricesListCmd) product(book *prices.Book, id string, on prices.Date) (priceProduct, error) {
	parts := strings.SplitN(id, "/", 3)
	p, err := book.Product(strings.Join(parts[:min(2, len(parts))], "/"))
	if err != nil {
		return priceProduct{}, err
	}
	one := priceProduct{ID: id, Title: p.Title, Types: len(p.Types()), Prices: p.All(on), Free: p.Free, Facts: p.Facts, Sizes: p.Sizes}
	if len(parts) == 3 {
		m, err := p.Instance(parts[2])
		if err != nil {
			return priceProduct{}, err
		}
		one.Types, one.Prices = 1, m.Prices
		one.Title = fmt.Sprintf("%s %s: %s, %s, %s", p.Title, m.Type, count(uint64(m.VCPU), "vCPU"), m.Memory, m.Arch)
	}
	if c.Region != "" {
		one.Prices = slices.DeleteFunc(slices.Clone(one.Prices), func(p *prices.Price) bool {
			return p.Region != c.Region && p.Region != prices.Global
		})
	}
	return one, nil
}

func printProducts(w *World, products []priceProduct) {
	t := &sheet{width: w.Terminal.Width}
	t.row("PRODUCT", "PRICES", "AS OF", "NAME")
	for _, p := range products {
		var newest prices.Date
		for _, price := range p.Prices {
			newest = max(newest, price.AsOf)
		}
		t.row(p.ID, units.FormatCount(len(p.Prices)), newest.String(), p.Title)
	}
	t.print(w.Stdout)
}

func printPrices(w *World, p priceProduct, region string) {
	fmt.Fprintf(w.Stdout, "%s: %s\n", p.ID, p.Title)
	if len(p.Prices) == 0 && region != "" {
		fmt.Fprintf(w.Stdout, "no price in %s\n", region)
	}
	t := &sheet{width: w.Terminal.Width}
	for _, price := range p.Prices {
		name := price.Dimension
		if price.Product != p.ID {
			name = price.Product[strings.LastIndex(price.Product, "/")+1:] + " " + name
		}
		for i, tier := range price.Tiers {
			place, text := price.Region, price.UnitPrice(tier)
			if i > 0 {
				name, place = "", ""
			}
			if span := tier.Range(); span != "all" {
				text += ", " + span
			}
			t.row(name, place, text)
		}
	}
	t.print(w.Stdout)
}

type pricesValidateCmd struct {
	Files []string `arg:"" name:"file" help:"Price files."`
}

// Run checks every file before it says anything, so that all faults come at once.
func (c *pricesValidateCmd) Run(w *World) error {
	var all []error
	for _, path := range c.Files {
		book, err := loadPrices(path)
		if err != nil {
			all = append(all, err)
			continue
		}
		n := 0
		for _, id := range book.Products() {
			if p, err := book.Product(id); err == nil {
				n += len(p.All(0))
			}
		}
		fmt.Fprintf(w.Stdout, "%s: ok: %s, %s\n", path, count(uint64(len(book.Products())), "product"), count(uint64(n), "price"))
	}
	return allFaults(all)
}

type pricesDiffCmd struct {
	Before string `arg:"" help:"A day, as 2020-11-30, or a price file."`
	After  string `arg:"" help:"A day or a price file."`
	JSON   bool   `name:"json" help:"Print JSON (schema coldcurve.prices-diff/v1)."`
}

type priceDiff struct {
	Schema  string          `json:"schema"`
	Before  string          `json:"before"`
	After   string          `json:"after"`
	Changes []prices.Change `json:"changes"`
}

// Run prints what differs.
func (c *pricesDiffCmd) Run(w *World) error {
	before, onBefore, err := dayOrFile(c.Before)
	if err != nil {
		return err
	}
	after, onAfter, err := dayOrFile(c.After)
	if err != nil {
		return err
	}
	doc := priceDiff{"coldcurve.prices-diff/v1", c.Before, c.After, prices.Diff(before, onBefore, after, onAfter)}
	if c.JSON {
		if doc.Changes == nil {
			doc.Changes = []prices.Change{}
		}
		return printJSON(w.Stdout, doc)
	}
	for _, change := range doc.Changes {
		place := change.Region
		if place != "" {
			place = " in " + place
		}
		fmt.Fprintf(w.Stdout, "%s %s %s%s\n", change.Product, change.Kind, change.Name, place)
		for _, line := range []struct{ sign, text string }{{"-", change.Before}, {"+", change.After}} {
			t := &sheet{width: w.Terminal.Width, indent: "  " + line.sign + " "}
			t.row(line.text)
			t.print(w.Stdout)
		}
	}
	fmt.Fprintf(w.Stderr, "%s between %s and %s\n", count(uint64(len(doc.Changes)), "difference"), c.Before, c.After)
	return nil
}

// dayOrFile is the built-in book on a day, or the book of a file.
func dayOrFile(text string) (*prices.Book, prices.Date, error) {
	if on, err := prices.ParseDate(text); err == nil && on.IsDay() {
		return prices.Open(), on, nil
	}
	if _, err := os.Stat(text); err != nil {
		return nil, 0, usage("%q is neither a day nor a file: write a day as 2026-09-19, or the path of a price file", text)
	}
	book, err := loadPrices(text)
	return book, 0, err
}

// allFaults is the faults of several files as one error, or the first error
// that is none.
func allFaults(errs []error) error {
	var all strict.Faults
	for _, err := range errs {
		faults, ok := errors.AsType[strict.Faults](err)
		if !ok {
			return err
		}
		all = append(all, faults...)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
