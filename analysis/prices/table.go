package prices

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// OnDemand is the dimension of a machine's price without any commitment.
const OnDemand = "ondemand"

// tableHeader is the first line of a table that is no comment.
const tableHeader = "type,usd_hour,vcpu,memory_mb,arch,baseline,credits,credits_most,rule"

// table is many types of machine in one text. It is searched when a type is
// first asked for: a price book is opened by every command, and few of them
// want to know of a thousand machines.
type table struct {
	product string
	file    string
	price   Price  // of every type but for usd
	shape   Origin // of every shape
	parse   func() map[string]row
	made    sync.Map // type -> *Instance
}

// row is one type as it stands in the table.
type row struct {
	line   int
	fields []string
}

// newTable checks every line of a user's table, and nothing of an embedded one,
// which a test has read.
func (r *reader) openTable(p *Product, e *tableEntry, from *productEntry) {
	text, err := r.open(e.file)
	if err != nil {
		e.at.Get("file").Fault(err.Error(), "write the name of a CSV file beside this one")
		return
	}
	price := e.price
	price.Unit, price.Per, price.Rounding = "hour", 1, from.rounding
	price.Origin = r.paid(e.at, &e.stated, from.stated, "the table")
	price.Region = e.region
	if price.Region == "" {
		e.at.Fault("the table has no region", "add region: us-east-1, here, to the product or to the file")
	}
	t := &table{
		product: p.ID, file: e.file, price: price,
		shape: Origin{Source: e.shapeSource, AsOf: e.shapeAsOf, Confidence: price.Confidence, File: e.file},
		parse: sync.OnceValue(func() map[string]row { return rows(text, nil) }),
	}
	t.price.File = e.file
	p.table = t
	if !r.trusted {
		t.check(text, r.faults.Collect(e.file))
	}
}

// rows splits the text into lines by type; what is wrong goes to report, if
// there is one.
func rows(text []byte, report strict.Report) map[string]row {
	all := make(map[string]row, bytes.Count(text, []byte("\n")))
	header := false
	line := 0
	for entry := range strings.Lines(string(text)) {
		line++
		entry = strings.TrimRight(entry, "\r\n")
		switch {
		case entry == "" || strings.HasPrefix(entry, "#"):
			continue
		case !header:
			if header = true; entry != tableHeader && report != nil {
				report(strict.Position{Line: line, Column: 1}, "the first line is not the header", "write "+tableHeader)
			}
			continue
		}
		cells := strings.Split(entry, ",")
		if len(cells) != strings.Count(tableHeader, ",")+1 {
			if report != nil {
				report(strict.Position{Line: line, Column: 1}, fmt.Sprintf("%d fields", len(cells)), "write those of the header: "+tableHeader)
			}
			continue
		}
		if first, twice := all[cells[0]]; twice && report != nil {
			report(strict.Position{Line: line, Column: 1}, "type "+cells[0]+" a second time", fmt.Sprintf("keep one of them; the first is on line %d", first.line))
		}
		all[cells[0]] = row{line, cells}
	}
	return all
}

// check reports all that is wrong with the text.
func (t *table) check(text []byte, report strict.Report) {
	for _, row := range rows(text, report) {
		if _, err := t.instance(row); err != nil {
			report(strict.Position{Line: row.line, Column: 1}, err.Error(), "write as in c7g.large,0.0725,2,4096,arm64,,,,own")
		}
	}
}

// find is the machine of a type, if there is one.
func (t *table) find(name string) (*Instance, bool) {
	if t == nil {
		return nil, false
	}
	if m, ok := t.made.Load(name); ok {
		return m.(*Instance), true
	}
	row, ok := t.parse()[name]
	if !ok {
		return nil, false
	}
	m, err := t.instance(row)
	if err != nil {
		panic(fmt.Sprintf("%s:%d: %v", t.file, row.line, err)) // it has been checked
	}
	kept, _ := t.made.LoadOrStore(name, m)
	return kept.(*Instance), true
}

// instance is the machine of a row.
func (t *table) instance(r row) (*Instance, error) {
	c := r.fields
	if !validType.MatchString(c[0]) {
		return nil, fmt.Errorf("%q is not a type", c[0])
	}
	m := &Instance{ID: t.product + "/" + c[0], Product: t.product, Type: c[0], Arch: c[4], Rule: c[8], Origin: t.shape, Baseline: Whole(1)}
	m.Line = r.line
	if err := m.shape(c); err != nil {
		return nil, err
	}
	if c[1] == "" {
		return m, nil
	}
	usd, err := ParseDecimal(c[1])
	if err != nil {
		return nil, err
	}
	price := t.price
	price.Product, price.Line, price.Tiers = m.ID, r.line, []Tier{{USD: usd}}
	m.Prices = []*Price{&price}
	return m, nil
}

// shape reads a row's fields from vcpu on; a type may have no known shape.
func (m *Instance) shape(c []string) error {
	if c[2] == "" && c[3] == "" && c[4] == "" {
		return nil
	}
	vcpu, err := strconv.ParseUint(c[2], 10, 16)
	if err != nil || vcpu == 0 {
		return fmt.Errorf("%q is no number of vCPUs", c[2])
	}
	memory, err := strconv.ParseUint(c[3], 10, 40)
	if err != nil || memory == 0 || memory > math.MaxInt64/uint64(units.MB) {
		return fmt.Errorf("%q is no number of MB", c[3])
	}
	if c[4] != "x86_64" && c[4] != "arm64" {
		return fmt.Errorf("%q is no architecture: write x86_64 or arm64", c[4])
	}
	m.VCPU, m.Memory = int(vcpu), units.Bytes(memory)*units.MB
	for i, into := range []*Decimal{&m.Baseline, &m.Credits, &m.CreditsMost} {
		if text := c[5+i]; text != "" {
			if *into, err = ParseDecimal(text); err != nil {
				return err
			}
		}
	}
	return nil
}
