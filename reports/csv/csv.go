// Package csv writes a report's figures as comma-separated values, for
// spreadsheets.
//
// In: a report's value. Out: RFC 4180, the first row names the columns; amounts
// are plain decimals of US dollars with every digit. It computes nothing.
package csv

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/reports"
)

// Cost writes a row for each line of each bill. An option without a bill has
// one row, with the reason in place of a rule.
func Cost(w io.Writer, c *reports.Cost) error {
	out := csv.NewWriter(w)
	rows := [][]string{{
		"option", "product", "region", "dimension", "quantity", "unit", "unit_price_usd", "amount_usd", "driver", "free", "rule", "source", "as_of",
	}}
	for _, p := range c.Priced {
		if p.Bill == nil {
			rows = append(rows, []string{p.Option, "", "", "", "", "", "", "", "", "", p.Err.Error(), "", ""})
			continue
		}
		for _, l := range p.Bill.Lines {
			rows = append(rows, []string{
				p.Option, l.Product, l.Region, l.Dimension, cost.Decimal(l.Quantity), l.Unit, cost.Decimal(l.UnitPrice),
				l.Amount.USD(), string(l.Driver), fmt.Sprint(l.Free), l.Rule, l.Source, l.AsOf.String(),
			})
		}
	}
	return write(out, rows)
}

func write(out *csv.Writer, rows [][]string) error {
	for _, row := range rows {
		for i := range row {
			row[i] = inert(row[i])
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// Curve writes a row for each option at each place of its curve. Where it cannot
// do the work the reason stands in place of amounts.
func Curve(w io.Writer, c reports.Curves) error {
	rows := [][]string{{"option", string(c.Over), "rate_per_s", "requests_month", "usd_month", "instances", "response_s"}}
	shares := cost.Shares()
	for _, s := range shares {
		rows[0] = append(rows[0], string(s)+"_usd")
	}
	rows[0] = append(rows[0], "impossible")
	for _, s := range c.Series {
		for _, p := range s.Points {
			row := []string{s.Option, fmt.Sprint(p.X), fmt.Sprint(float64(p.Rate)), fmt.Sprint(p.Requests)}
			if p.Err != nil {
				row = append(row, make([]string, 3+len(shares))...)
				rows = append(rows, append(row, p.Err.Error()))
				continue
			}
			row = append(row, p.Total.USD(), fmt.Sprint(p.Instances), fmt.Sprint(float64(p.Response)/1e9))
			for _, share := range shares {
				row = append(row, p.Shares[share].USD())
			}
			rows = append(rows, append(row, ""))
		}
	}
	return write(csv.NewWriter(w), rows)
}

// Outlook writes a row for each option in each situation.
func Outlook(w io.Writer, o reports.Outlook) error {
	rows := [][]string{{"situation", "mean_rate_per_s", "requests_month", "option", "kind", "usd_month", "usd_million_requests",
		"response_s", "late_share", "holds_target", "cold_share", "utilisation", "instances_mean", "instances_peak", "impossible"}}
	for i := range o.Cases {
		k := &o.Cases[i]
		for j := range k.Served {
			s := &k.Served[j]
			row := []string{k.Name, fmt.Sprint(float64(k.Mean())), fmt.Sprint(k.Requests), s.Option, s.Kind()}
			if s.Err != nil {
				row = append(row, make([]string, 9)...)
				rows = append(rows, append(row, s.Err.Error()))
				continue
			}
			cold := ""
			if s.Cold >= 0 {
				cold = fmt.Sprint(s.Cold)
			}
			rows = append(rows, append(row, s.Bill.Total.USD(), s.Bill.PerMillion(k.Requests).USD(), fmt.Sprint(s.Response.Seconds()), fmt.Sprint(s.Late),
				fmt.Sprint(s.Holds), cold, fmt.Sprint(s.Utilisation), fmt.Sprint(s.Mean), fmt.Sprint(s.Peak), ""))
		}
	}
	return write(csv.NewWriter(w), rows)
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
