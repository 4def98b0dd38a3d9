package gate

import (
	_ "embed"
	"fmt"
	"math"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// usual is the policy where nobody gives one.
//
//go:embed policy.yaml
var usual []byte

// UsualPolicy is what is judged by where no policy is given, and its text.
func UsualPolicy() (*Policy, []byte) {
	p, err := ParsePolicy("policy.yaml", usual)
	if err != nil {
		panic(err) // it is part of the program
	}
	return p, usual
}

// ParsePolicy reads a policy from text. The name is the file's: it stands in
// faults. An error is a [strict.Faults] with all that is wrong.
func ParsePolicy(name string, text []byte) (*Policy, error) {
	var faults strict.Faults
	report := faults.Collect(name)
	root, ok := strict.Parse(text, report)
	if !ok {
		return nil, faults.Err()
	}
	m, ok := root.Map("the policy")
	if !ok {
		return nil, faults.Err()
	}
	var p Policy
	policyFields().Into(&p, nothing{}, m, "the policy", "")
	p.checkRisks(report)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if basis := m.Get("cost"); basis.Given() {
		fields, _ := basis.Map("cost")
		p.traceAt = fields.Get("trace").At()
	}
	return &p, nil
}

// checkRisks reports rules that risk more than the whole policy.
func (p *Policy) checkRisks(report strict.Report) {
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Risk > p.risk() {
			most := units.FormatShare(p.risk())
			report(r.riskAt, "a risk of "+units.FormatShare(r.Risk)+", and that of all rules together is "+most, "write at most "+most+", or raise the policy's")
		}
	}
}

// PolicySchemaJSON is the JSON Schema (draft 2020-12) of a policy file.
func PolicySchemaJSON() []byte {
	return policyFields().Object("").Document("coldcurve policy", "Which figures may get how much worse between two sides.")
}

// nothing is carried along while a policy is read: its keys do not depend on
// each other.
type nothing struct{}

func policyFields() strict.Fields[nothing, Policy] {
	return strict.Fields[nothing, Policy]{
		strict.NewField("risk", shares("5%", .5), func(p *Policy) *float64 { return &p.Risk },
			"chance, at most, that a comparison in which nothing got worse than its margin is called a regression, over all rules and looks").Defaults("5%"),
		strict.NewField("power", shares("90%", .9999), func(p *Policy) *float64 { return &p.Power },
			"chance with which what is called detectable is detected").Defaults("90%"),
		strict.NewField("looks", looks(), func(p *Policy) *[]int { return &p.Looks },
			"numbers of pairs at which compare looks at the data, ascending; each look spends an equal part of the risk").Defaults([]int{10, 14, 20, 28}),
		strict.NewField("no_baseline", severities(), func(p *Policy) *Severity { return &p.NoBaseline },
			"what gate does where there is no baseline yet: fail ends with exit code 4, warn with 0").Defaults("fail"),
		strict.NewField("cost", basisFields().Form("cost", "{trace: nasa, product: aws/lambda, on: 2026-11-01}"), func(p *Policy) *Basis { return &p.Basis },
			"what rules on cost.month and cost.million are of: traffic, how it is served, whose prices"),
		strict.NewField("rules", rules(), func(p *Policy) *[]Rule { return &p.Rules },
			"the figures that are judged").Must(),
	}
}

func ruleFields() strict.Fields[nothing, Rule] {
	return append(budget.Fields[nothing](append(metric.All(), metric.Costs()...), func(r *Rule) *budget.Budget { return &r.Budget }),
		strict.NewField("margin", margins(), func(r *Rule) *margin { return &r.margin },
			"how much worse the figure may get: of durations, rates and costs a share of the base's (5%), of shares percentage points (1%), of counts a number"),
		strict.NewField("pairs", strict.Counts[nothing](1, 10_000), func(r *Rule) *int { return &r.Pairs },
			"least number of pairs for a verdict; the default is as many as the statistics need"),
		strict.NewField("risk", shares("1%", .5), func(r *Rule) *float64 { return &r.Risk },
			"the rule's own risk, at most the policy's, which is the default: with 1%, its interval has 99% confidence, and a verdict takes as much"),
		strict.NewField("severity", severities(), func(r *Rule) *Severity { return &r.Severity },
			"what a broken rule does: fail (exit code 3) or warn").Defaults("fail"),
	)
}

func rules() strict.Form[nothing, []Rule] {
	return strict.Form[nothing, []Rule]{
		Read: func(_ nothing, v strict.Value) ([]Rule, bool) {
			items, ok := v.List("rules")
			if ok && len(items) == 0 {
				v.Fault("no rules", "write for example - {metric: latency.p50, start: cold, margin: 5%}")
			}
			list := make([]Rule, 0, len(items))
			for _, item := range items {
				if m, ok := item.Map("a rule"); ok {
					r := readRule(m)
					if n := slices.IndexFunc(list, r.same); n >= 0 && (r.Margin > 0 || r.Max != nil || r.Min != nil) {
						m.Fault(fmt.Sprintf("the same as rule %d", n+1), "leave one of them out: each rule makes the others stricter")
					}
					list = append(list, r)
				}
			}
			return list, ok
		},
		Example: "[{metric: latency.p50, start: cold, margin: 5%}]",
		Schema:  strict.ListSchema(strict.AnyOfSchema(ruleFields().Object(""), "margin", "max", "min")),
	}
}

func readRule(m strict.Map) Rule {
	var r Rule
	ruleFields().Into(&r, nothing{}, m, "rule", "")
	r.Settle(m)
	r.phaseAt, r.functionAt, r.riskAt = m.Get("phase").At(), m.Get("function").At(), m.Get("risk").At()
	if r.costs() && r.Start != "" {
		m.Get("start").Fault("a cost of "+r.Start+" requests alone", "leave start out: a bill is over all start kinds")
	}
	if !m.Get("margin").Given() && !m.Get("max").Given() && !m.Get("min").Given() {
		m.Fault("a rule with nothing to judge by", "add margin:, max: or min:")
	}
	if r.Metric != "" && m.Get("margin").Given() {
		r.settleMargin(m.Get("margin"))
	}
	return r
}

// margin is a margin as its author spells it.
type margin struct{ text string }

func margins() strict.Form[nothing, margin] {
	return strict.Form[nothing, margin]{
		Read: func(_ nothing, v strict.Value) (margin, bool) {
			text, ok := v.Quantity("a margin", "5%")
			return margin{text}, ok
		},
		Example: "5%",
		Schema:  strict.Schema{"anyOf": []strict.Schema{{"type": "string"}, {"type": "number", "exclusiveMinimum": 0}}},
	}
}

// settleMargin works out what the margin means: that depends on the metric.
func (r *Rule) settleMargin(v strict.Value) {
	var err error
	switch {
	case metric.Metric(r.Metric).Unit() == metric.Count:
		var n int64
		n, err = units.ParseCount(r.margin.text)
		r.Margin = float64(n)
	case r.relative() && !r.better():
		r.Margin, err = units.ParseGrowth(r.margin.text)
	default:
		r.Margin, err = units.ParseShare(r.margin.text)
	}
	switch {
	case err != nil:
		strict.FaultOf(v, err, "")
	case r.better() && r.Margin >= 1:
		v.Fault("a margin of "+r.margin.text+": more than all of it cannot be lost", "write for example 5%")
	case r.Margin == 0:
		v.Fault("a margin of 0: nothing can be shown to have changed by nothing", "write for example 5%, or judge by max: or min: alone")
	}
}

func severities() strict.Form[nothing, Severity] {
	words := strict.Words[nothing]("severity", []string{Fail.String(), Warn.String()})
	return strict.Form[nothing, Severity]{
		Read: func(c nothing, v strict.Value) (Severity, bool) {
			word, ok := words.Read(c, v)
			if word == Warn.String() {
				return Warn, ok
			}
			return Fail, ok
		},
		Example: words.Example,
		Schema:  words.Schema,
	}
}

func looks() strict.Form[nothing, []int] {
	one := strict.Counts[nothing](1, 10_000)
	return strict.Form[nothing, []int]{
		Read: func(c nothing, v strict.Value) ([]int, bool) {
			items, ok := v.List("looks")
			if ok && len(items) == 0 {
				v.Fault("no looks: a comparison would never be judged", "write for example [10, 14, 20, 28], or leave the key out")
			}
			var list []int
			for _, item := range items {
				n, fine := one.Read(c, item)
				if fine && len(list) > 0 && n <= list[len(list)-1] {
					item.Fault(fmt.Sprintf("%d after %d: looks ascend", n, list[len(list)-1]), "write for example [10, 14, 20, 28]")
				}
				list, ok = append(list, n), ok && fine
			}
			return list, ok
		},
		Example: "[10, 14, 20, 28]",
		Schema:  strict.ListSchema(one.Schema),
	}
}

// shares lie above 0 and go up to most.
func shares(example string, most float64) strict.Form[nothing, float64] {
	return strict.Quantities[nothing]("share", example, strict.SharePattern, math.SmallestNonzeroFloat64, most, units.ParseShare, units.FormatShare)
}
