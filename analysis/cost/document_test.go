package cost

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/analysis/units"
)

func document(t *testing.T, by By, names ...string) []byte {
	t.Helper()
	works := []Work{{
		Name: "f", Requests: 3_000_000, Durations: Constant(120 * time.Millisecond), Memory: 2 * units.GB, Fleet: Always(1), Out: units.MB,
	}}
	var options []Option
	for _, name := range names {
		options = append(options, open(t, name, Terms{FreeTier: true}))
	}
	priced, err := Price(options, func(Option) []*Work { return []*Work{&works[0]} })
	if err != nil {
		t.Fatal(err)
	}
	var a *Attribution
	if by != "" {
		if a, err = Attribute(priced[0].Bill, []User{user("f", "shop", 1, 1, 1), user("f", "", 2, 5, 1)}, by, Rules{}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(NewDocument(TrafficOf("flags", works), true, priced, a))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDocumentsFollowTheSchema(t *testing.T) {
	compiled := stricttest.Schema(t, SchemaJSON())
	validate := func(text []byte) error {
		doc := stricttest.Value(t, text)
		return compiled.Validate(doc)
	}
	one := document(t, ByConsumer, "aws/lambda+aws/data-transfer-out")
	for _, text := range [][]byte{
		one,
		document(t, ByVersion, "aws/lambda"),
		document(t, "", "aws/lambda", "aws/ec2", "cloudflare/workers-paid", "aws/alb", "hetzner/cloud/CX23"),
		document(t, "", "cloudflare/workers-paid"),
	} {
		if err := validate(text); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
	for _, change := range [][2]string{
		{`"coldcurve.cost/v1"`, `"coldcurve.cost/v2"`},
		{`"quantity":`, `"quantity":-`},
		{`"amount_usd":"`, `"amount_usd":"$`},
		{`"rule"`, `"Rule"`},
	} {
		text := strings.Replace(string(one), change[0], change[1], 1)
		if text == string(one) {
			t.Fatalf("the document has no %s", change[0])
		}
		if validate([]byte(text)) == nil {
			t.Errorf("the schema takes %s", change[1])
		}
	}
}

// TestLinesMultiplyOut: each amount of a document is its quantity times its
// unit price, to the half nano-dollar that rounding may take.
func TestLinesMultiplyOut(t *testing.T) {
	var doc struct {
		Bills []struct {
			Lines []struct {
				Quantity json.Number `json:"quantity"`
				Unit     string      `json:"unit_price_usd"`
				Amount   string      `json:"amount_usd"`
			} `json:"lines"`
		} `json:"bills"`
	}
	text := document(t, "", "aws/lambda+aws/api-gateway-rest+aws/data-transfer-out", "aws/fargate", "gcp/cloud-run", "ibm/code-engine")
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	rat := func(s string) *big.Rat {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatalf("%q is no number", s)
		}
		return r
	}
	lines := 0
	for _, b := range doc.Bills {
		for _, l := range b.Lines {
			lines++
			off := rat(l.Amount)
			off.Sub(off, new(big.Rat).Mul(rat(string(l.Quantity)), rat(l.Unit)))
			// A line of a lower tier is the difference of two rounded sums.
			if off.Abs(off).Cmp(big.NewRat(1, int64(units.Dollar))) > 0 {
				t.Errorf("%s times %s is not %s", l.Quantity, l.Unit, l.Amount)
			}
		}
	}
	if lines < 12 {
		t.Errorf("only %d lines", lines)
	}
}
