package prices

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// reader reads one file of the book.
type reader struct {
	file    string
	open    func(name string) ([]byte, error) // the files beside it
	trusted bool                              // its tables have been checked
	below   *Book                             // whose dimensions are all there are; nil for no bound
	faults  strict.Faults
}

// stated is where an entry's figures are from. A product's fills in what its
// entries leave out, and the file's what the product leaves out.
type stated struct {
	region, source, confidence string
	asOf                       Date
}

func (s *stated) inherit(from stated) {
	if s.region == "" {
		s.region = from.region
	}
	if s.source == "" {
		s.source = from.source
	}
	if s.confidence == "" {
		s.confidence = from.confidence
	}
	if s.asOf == 0 {
		s.asOf = from.asOf
	}
}

// reported fills in a date that is written and no date, so that what inherits
// it is not at fault, too.
func (s *stated) reported(m strict.Map) {
	const anyDay = 19700101
	if s.asOf == 0 && m.Get("as_of").Given() {
		s.asOf = anyDay
	}
}

// statedFields are the keys of an origin in a mapping that has one at at.
func statedFields[T any](at func(*T) *stated) fields[T] {
	return fields[T]{
		key("source", texts(), func(t *T) *string { return &at(t).source }, "who says so"),
		key("as_of", dates(false), func(t *T) *Date { return &at(t).asOf }, "when it was so"),
		key("confidence", words("confidence", []string{"A", "B", fromMemory, "own"}), func(t *T) *string { return &at(t).confidence },
			"A: a price list or the vendor's document that was read; B: a third party's that was read; C: from memory, of facts only; own: the reader's own").Defaults("own"),
	}
}

func regionField[T any](at func(*T) *stated, doc string) field[T] {
	return key("region", names("region", "us-east-1"), func(t *T) *string { return &at(t).region }, doc)
}

func spanFields[T any](at func(*T) *Span) fields[T] {
	return fields[T]{
		key("since", dates(true), func(t *T) *Date { return &at(t).Since }, "the first day of which it is true; left out where that is not known"),
		key("until", dates(true), func(t *T) *Date { return &at(t).Until }, "the day from which it is no longer true"),
	}
}

// fileEntry is a whole file.
type fileEntry struct {
	stated
	provider, title string
	attribution     []Attribution
	products        []productEntry
}

// Attribution is a work that a file's figures are from, and its licence.
type Attribution struct {
	Work    string `json:"work"`
	Licence string `json:"licence"`
	For     string `json:"for"`
}

type productEntry struct {
	stated
	at        strict.Map
	id, title string
	rounding  Rounding // of its types and its table
	prices    []priceEntry
	free      []freeEntry
	facts     []factEntry
	sizes     []sizeEntry
	types     []typeEntry
	table     *tableEntry
}

type priceEntry struct {
	stated
	at    strict.Map
	usd   *Decimal
	price Price
}

type freeEntry struct {
	stated
	at        strict.Map
	allowance Allowance
}

type factEntry struct {
	stated
	at   strict.Map
	fact Fact
}

type sizeEntry struct {
	stated
	at   strict.Map
	size Size
}

// typeEntry is a type; its price's origin is its shape's, unless the shape has
// one of its own.
type typeEntry struct {
	shape    stated
	at       strict.Map
	vcpu     int64
	instance Instance
	price    priceEntry
	prices   []priceEntry
}

type tableEntry struct {
	stated
	at          strict.Map
	file        string
	shapeSource string
	shapeAsOf   Date
	price       Price
}

// list is a field that is a list of mappings; placed keeps where each stands.
func list[T, E any](name, of, one string, fs func() fields[E], at func(*T) *[]E, placed func(*E) *strict.Map, doc string) field[T] {
	table := fs()
	return field[T]{
		Name: name, Doc: doc, Example: "[]",
		Schema: strict.ListSchema(table.Object("")),
		Read: func(r *reader, v strict.Value, into *T) {
			items, ok := v.List(of)
			if ok && len(items) == 0 {
				v.Fault("no "+of, "write at least one, or leave the key out")
			}
			for _, item := range items {
				m, ok := item.Map(one)
				if !ok {
					continue
				}
				var e E
				*placed(&e) = m
				table.Into(&e, r, m, one, "")
				*at(into) = append(*at(into), e)
			}
		},
	}
}

func fileFields() fields[fileEntry] {
	at := func(f *fileEntry) *stated { return &f.stated }
	works := fields[Attribution]{
		key("work", texts(), func(a *Attribution) *string { return &a.Work }, "whose work").Must(),
		key("licence", texts(), func(a *Attribution) *string { return &a.Licence }, "under which licence").Must(),
		key("for", texts(), func(a *Attribution) *string { return &a.For }, "which figures").Must(),
	}
	return append(fields[fileEntry]{
		key("provider", names("provider", "aws"), func(f *fileEntry) *string { return &f.provider }, "whose products; each id begins with it").Must(),
		key("title", texts(), func(f *fileEntry) *string { return &f.title }, "the provider's own name"),
		regionField(at, "the region of entries that name none"),
		{
			Name: "attribution", Doc: "works that figures are from", Example: "[]", Schema: strict.ListSchema(works.Object("")),
			Read: func(r *reader, v strict.Value, f *fileEntry) {
				f.attribution, _ = works.List(r, v, "works", "a work")
			},
		},
		list("products", "products", "a product", productFields, func(f *fileEntry) *[]productEntry { return &f.products },
			func(p *productEntry) *strict.Map { return &p.at }, "what is sold").Must(),
	}, statedFields(at)...)
}

func productFields() fields[productEntry] {
	at := func(p *productEntry) *stated { return &p.stated }
	return append(fields[productEntry]{
		key("product", productIDs(), func(p *productEntry) *string { return &p.id }, "provider/name").Must().Like("aws/lambda"),
		key("title", texts(), func(p *productEntry) *string { return &p.title }, "the product's own name"),
		regionField(at, "the region of entries that name none"),
		roundingField(func(p *productEntry) *Rounding { return &p.rounding }, "what becomes of each instance's time before it is summed, for types and table"),
		list("prices", "prices", "a price", priceFields, func(p *productEntry) *[]priceEntry { return &p.prices },
			func(e *priceEntry) *strict.Map { return &e.at }, "what is charged for what"),
		list("free", "allowances", "an allowance", freeFields, func(p *productEntry) *[]freeEntry { return &p.free },
			func(e *freeEntry) *strict.Map { return &e.at }, "what costs nothing"),
		list("facts", "facts", "a fact", factFields, func(p *productEntry) *[]factEntry { return &p.facts },
			func(e *factEntry) *strict.Map { return &e.at }, "limits, and rules of counting"),
		list("sizes", "sizes", "a size", sizeFields, func(p *productEntry) *[]sizeEntry { return &p.sizes },
			func(e *sizeEntry) *strict.Map { return &e.at }, "the combinations of vCPU and memory that there are"),
		list("types", "types", "a type", typeFields, func(p *productEntry) *[]typeEntry { return &p.types },
			func(e *typeEntry) *strict.Map { return &e.at }, "types of machine"),
		tableField(),
	}, statedFields(at)...)
}

func roundingField[T any](at func(*T) *Rounding, doc string) field[T] {
	fs := fields[Rounding]{
		key("each", names("word", "invocation"), func(r *Rounding) *string { return &r.Each }, "what is rounded on its own: invocation, instance, request, ...").Must(),
		key("time", durations("1ms"), func(r *Rounding) *time.Duration { return &r.Time }, "time is rounded up to a multiple of this"),
		key("least_time", durations("100ms"), func(r *Rounding) *time.Duration { return &r.LeastTime }, "and is at least this"),
		key("size", sizes("128MB"), func(r *Rounding) *units.Bytes { return &r.Size }, "sizes are rounded up to a multiple of this"),
		key("least_size", sizes("128MB"), func(r *Rounding) *units.Bytes { return &r.LeastSize }, "and are at least this"),
	}
	return field[T]{
		Name: "rounding", Doc: doc, Example: "{each: invocation, time: 1ms}", Schema: fs.Object(""),
		Read: func(r *reader, v strict.Value, into *T) {
			m, ok := v.Map("rounding")
			if !ok {
				return
			}
			before := len(r.faults)
			fs.Into(at(into), r, m, "rounding", "")
			if rule := at(into); len(r.faults) == before && rule.Time == 0 && rule.LeastTime == 0 && rule.Size == 0 && rule.LeastSize == 0 {
				v.Fault("rounding of nothing", "add time: 1ms, least_time, size or least_size")
			}
		},
	}
}

// pricedFields are the keys of a price but its dimension.
func pricedFields(oneTier bool) fields[priceEntry] {
	at := func(e *priceEntry) *stated { return &e.stated }
	fs := fields[priceEntry]{
		regionField(at, "where it holds; global for everywhere"),
		key("unit", unitNames(), func(e *priceEntry) *string { return &e.price.Unit }, "what the quantity is counted in").Like("GB-second"),
		key("per", counts("1000000"), func(e *priceEntry) *int64 { return &e.price.Per }, "how many units the price is for").Defaults(1),
		usdField(func(e *priceEntry) **Decimal { return &e.usd }, "the price in US dollars, where there is one tier only"),
		roundingField(func(e *priceEntry) *Rounding { return &e.price.Rounding }, "what becomes of each one's amount before the amounts are summed"),
		key("month_cap", dollars("24.00"), func(e *priceEntry) *Decimal { return &e.price.Cap }, "the most that one instance costs in a month, in US dollars"),
		key("note", texts(), func(e *priceEntry) *string { return &e.price.Note }, "what else to know"),
	}
	if !oneTier {
		fs = append(fs, tiersField())
	}
	return append(append(fs, spanFields(func(e *priceEntry) *Span { return &e.price.Span })...), statedFields(at)...)
}

func usdField[T any](at func(*T) **Decimal, doc string) field[T] {
	f := dollars("0.20")
	return field[T]{
		Name: "usd", Doc: doc, Example: f.Example, Schema: f.Schema,
		Read: func(r *reader, v strict.Value, into *T) {
			if d, ok := f.Read(r, v); ok {
				*at(into) = &d
			}
		},
	}
}

func priceFields() fields[priceEntry] {
	return append(fields[priceEntry]{
		key("dimension", names("dimension", "duration_x86"), func(e *priceEntry) *string { return &e.price.Dimension }, "what is charged for").Must().Like("duration_x86"),
	}, pricedFields(false)...)
}

func tierFields() fields[Tier] {
	return fields[Tier]{
		key("from", decimals("0"), func(t *Tier) *Decimal { return &t.From }, "where the tier begins, in units a month").Must(),
		key("to", decimals("6000000000"), func(t *Tier) *Decimal { return &t.To }, "where it ends; left out in the last one, unless nobody knows what more than that costs"),
		key("usd", dollars("0.0000166667"), func(t *Tier) *Decimal { return &t.USD }, "the price in US dollars").Must(),
	}
}

func tiersField() field[priceEntry] {
	fs := tierFields()
	return field[priceEntry]{
		Name: "tiers", Doc: "prices by the quantity of a month", Example: "[{from: 0, to: 6e9, usd: 0.02}, {from: 6e9, usd: 0.01}]",
		Schema: strict.ListSchema(fs.Object("")),
		Read: func(r *reader, v strict.Value, e *priceEntry) {
			before := len(r.faults)
			tiers, ok := fs.List(r, v, "tiers", "a tier")
			if ok && len(r.faults) == before {
				e.price.Tiers = checkTiers(v, tiers)
			}
		},
	}
}

// checkTiers is the tiers, if they go up from 0 without gap or overlap.
func checkTiers(v strict.Value, tiers []Tier) []Tier {
	items, _ := v.List("tiers")
	good := true
	fault := func(i int, problem, instead string) {
		items[i].Fault(problem, instead)
		good = false
	}
	for i, t := range tiers {
		switch {
		case t.To.IsZero() && i < len(tiers)-1:
			fault(i, "a tier without to before the last one", "add to: "+tiers[i+1].From.String())
		case !t.To.IsZero() && t.To.Cmp(t.From) <= 0:
			fault(i, fmt.Sprintf("a tier from %s to %s", t.From, t.To), "write a to that is more than from")
		}
		if i == 0 {
			if !t.From.IsZero() {
				fault(i, fmt.Sprintf("a gap: nothing says what the first %s cost", t.From), "begin with from: 0; what is free belongs under free")
			}
			continue
		}
		if before := tiers[i-1]; !before.To.IsZero() {
			switch before.To.Cmp(t.From) {
			case 1:
				fault(i, fmt.Sprintf("overlapping tiers: one ends at %s and the next begins at %s", before.To, t.From), "write from: "+before.To.String())
			case -1:
				fault(i, fmt.Sprintf("a gap between tiers: one ends at %s and the next begins at %s", before.To, t.From), "write from: "+before.To.String())
			}
		}
	}
	if !good {
		return nil
	}
	return tiers
}

func freeFields() fields[freeEntry] {
	at := func(e *freeEntry) *stated { return &e.stated }
	fs := fields[freeEntry]{
		key("name", names("name", "requests"), func(e *freeEntry) *string { return &e.allowance.Name }, "what it is called").Must(),
		key("quantity", decimals("1000000"), func(e *freeEntry) *Decimal { return &e.allowance.Quantity }, "how much, in units").Must(),
		key("unit", unitNames(), func(e *freeEntry) *string { return &e.allowance.Unit }, "what it is counted in").Must(),
		key("each", words("period", []string{"month", "day"}), func(e *freeEntry) *string { return &e.allowance.Each }, "how often").Defaults("month"),
		key("included", strict.Flags[*reader](), func(e *freeEntry) *bool { return &e.allowance.Included }, "it comes with what is paid anyway, and is no free tier").Defaults(false),
		key("dimensions", wordLists("dimensions", "[requests]"), func(e *freeEntry) *[]string { return &e.allowance.Dimensions }, "what shares it, in the order in which it is used up").Must(),
		key("note", texts(), func(e *freeEntry) *string { return &e.allowance.Note }, "what else to know"),
	}
	return append(append(fs, spanFields(func(e *freeEntry) *Span { return &e.allowance.Span })...), statedFields(at)...)
}

func factFields() fields[factEntry] {
	at := func(e *factEntry) *stated { return &e.stated }
	anyScalar := schema{"type": []string{"string", "number"}}
	fs := fields[factEntry]{
		key("name", words("fact", factNames()), func(e *factEntry) *string { return &e.fact.Name }, "which one").Must().Like("memory_max"),
		{
			Name: "value", Doc: "its value, with its unit", Needed: []string{""}, Example: "10240MB", Schema: anyScalar,
			Read: func(_ *reader, v strict.Value, e *factEntry) {
				if text, ok := v.Quantity("a value", "10240MB"); ok {
					e.fact.Value = text
					readFact(&e.fact, v)
				}
			},
		},
		key("note", texts(), func(e *factEntry) *string { return &e.fact.Note }, "what else to know"),
	}
	return append(append(fs, spanFields(func(e *factEntry) *Span { return &e.fact.Span })...), statedFields(at)...)
}

func sizeFields() fields[sizeEntry] {
	return append(fields[sizeEntry]{
		key("vcpu", decimals("0.25"), func(e *sizeEntry) *Decimal { return &e.size.VCPU }, "vCPUs").Must(),
		key("memory", memories(), func(e *sizeEntry) *Memory { return &e.size.Memory }, "memory that goes with it").Must(),
	}, statedFields(func(e *sizeEntry) *stated { return &e.stated })...)
}

func typeFields() fields[typeEntry] {
	fs := fields[typeEntry]{
		key("type", names("type", "c7g.large"), func(e *typeEntry) *string { return &e.instance.Type }, "its name").Must(),
		key("vcpu", counts("2"), func(e *typeEntry) *int64 { return &e.vcpu }, "vCPUs; left out where only prices are added"),
		key("memory", sizes("4GB"), func(e *typeEntry) *units.Bytes { return &e.instance.Memory }, "memory"),
		key("arch", words("architecture", []string{"x86_64", "arm64"}), func(e *typeEntry) *string { return &e.instance.Arch }, "architecture"),
		key("baseline", decimals("0.2"), func(e *typeEntry) *Decimal { return &e.instance.Baseline }, "share of its vCPUs that it can use for ever").Defaults(1),
		key("credits", decimals("24"), func(e *typeEntry) *Decimal { return &e.instance.Credits }, "minutes of a whole vCPU that it earns an hour"),
		key("credits_most", decimals("576"), func(e *typeEntry) *Decimal { return &e.instance.CreditsMost }, "how many it can save up"),
		key("full_month_discount", shares("0.2"), func(e *typeEntry) *Decimal { return &e.instance.FullMonth }, "share that it costs less on demand where it runs for a whole month").Defaults(0),
		key("rule", texts(), func(e *typeEntry) *string { return &e.instance.Rule }, "how the shape is known"),
		key("shape_source", texts(), func(e *typeEntry) *string { return &e.shape.source }, "who says what shape it has, where that is not who says the price"),
		key("shape_as_of", dates(false), func(e *typeEntry) *Date { return &e.shape.asOf }, "when it had it"),
		key("shape_confidence", words("confidence", []string{"A", "B", fromMemory, "own"}), func(e *typeEntry) *string { return &e.shape.confidence }, "as confidence, of the shape"),
		list("prices", "prices", "a price", priceFields, func(e *typeEntry) *[]priceEntry { return &e.prices },
			func(p *priceEntry) *strict.Map { return &p.at }, "what it costs otherwise: reserved_1y, spot, ..."),
	}
	for _, f := range pricedFields(true) {
		fs = append(fs, field[typeEntry]{
			Name: f.Name, Doc: f.Doc, Default: f.Default, Example: f.Example, Schema: f.Schema,
			Read: func(r *reader, v strict.Value, e *typeEntry) { f.Read(r, v, &e.price) },
		})
	}
	return fs
}

func tableField() field[productEntry] {
	at := func(e *tableEntry) *stated { return &e.stated }
	fs := append(fields[tableEntry]{
		key("file", named("file name", `^[A-Za-z0-9][A-Za-z0-9._-]*\.csv$`, "types.csv"), func(e *tableEntry) *string { return &e.file }, "a CSV file beside this one: type,usd_hour,vcpu,memory_mb,arch,baseline,credits,credits_most,rule").Must(),
		key("dimension", names("dimension", "ondemand"), func(e *tableEntry) *string { return &e.price.Dimension }, "what its prices are for").Must(),
		key("shape_source", texts(), func(e *tableEntry) *string { return &e.shapeSource }, "who says what shapes the types have").Must(),
		key("shape_as_of", dates(false), func(e *tableEntry) *Date { return &e.shapeAsOf }, "when it was so").Must(),
		key("note", texts(), func(e *tableEntry) *string { return &e.price.Note }, "what else to know"),
		regionField(at, "where its prices hold"),
	}, statedFields(at)...)
	return field[productEntry]{
		Name: "table", Doc: "many types at once", Example: "{file: types.csv, dimension: ondemand}", Schema: fs.Object(""),
		Read: func(r *reader, v strict.Value, p *productEntry) {
			m, ok := v.Map("the table")
			if !ok {
				return
			}
			before := len(r.faults)
			e := tableEntry{at: m}
			fs.Into(&e, r, m, "the table", "")
			if len(r.faults) == before {
				p.table = &e
			}
		},
	}
}

// SchemaJSON is the JSON Schema (draft 2020-12) of a price file, drawn up from
// the tables that files are read by. That tiers meet, sources are given and no
// entry stands twice it leaves to the reading.
func SchemaJSON() []byte {
	return fileFields().Object("").Document("coldcurve prices",
		"What a provider charges for what, since when, and who says so; the facts that decide whether its products can do some work.")
}
