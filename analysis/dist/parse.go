package dist

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// forms are the names that a text may begin with, and what follows each.
var forms = []struct {
	name, shape string
	parse       func(args []string) (Distribution, error)
}{
	{"const", "const:100ms", parseConstant},
	{"exp", "exp:2s (the mean)", parseExponential},
	{"lognormal", "lognormal:680ms,2.36 (median, sigma) or lognormal:p50=100ms,p99=2s", parseLognormal},
	{"weibull", "weibull:1s,0.7 (scale, shape)", parseWeibull},
	{"gamma", "gamma:1s,0.5 (mean, coefficient of variation)", parseGamma},
	{"table", "table:p0=10ms,p50=80ms,p100=2s", parseTable},
}

// Error is a text that is not a distribution.
type Error struct {
	Text    string
	Problem string
	Instead string
}

// Error is one line: text, problem, and what to write instead.
func (e *Error) Error() string {
	return fmt.Sprintf("distribution %q: %s: %s", e.Text, e.Problem, e.Instead)
}

// Parse reads a distribution's text form; a lone duration is constant.
func Parse(text string) (Distribution, error) {
	name, rest, colon := strings.Cut(text, ":")
	if !colon {
		if d, err := units.ParseDuration(text); err == nil && d <= Longest {
			return Constant(d), nil
		}
		return nil, &Error{text, "has no form that is known", "write one of " + shapes()}
	}
	for _, form := range forms {
		if form.name != name {
			continue
		}
		d, err := form.parse(strings.Split(rest, ","))
		if err != nil {
			return nil, &Error{text, err.Error(), "write " + form.shape}
		}
		return d, nil
	}
	return nil, &Error{text, strconv.Quote(name) + " is not a form of distribution", "write one of " + shapes()}
}

func shapes() string {
	parts := make([]string, len(forms))
	for k, form := range forms {
		parts[k], _, _ = strings.Cut(form.shape, " ")
	}
	return strings.Join(parts, ", ")
}

func wants(args []string, n int) error {
	if len(args) != n {
		return fmt.Errorf("has %d parameters, needs %d", len(args), n)
	}
	return nil
}

func parseConstant(args []string) (Distribution, error) {
	if err := wants(args, 1); err != nil {
		return nil, err
	}
	d, err := duration(args[0])
	return Constant(d), err
}

func parseExponential(args []string) (Distribution, error) {
	if err := wants(args, 1); err != nil {
		return nil, err
	}
	d, err := positive(args[0])
	if err == nil && d > Longest/64 { // no variate is 64 times the mean
		err = fmt.Errorf("%q is too long", args[0])
	}
	return Exponential(d), err
}

func parseWeibull(args []string) (Distribution, error) {
	d, shape, err := pair(args)
	if err == nil && !(shape >= .05 && shape <= 1000) {
		err = fmt.Errorf("shape %v is out of range, 0.05 to 1000", shape)
	}
	return Weibull{d, shape}, err
}

func parseGamma(args []string) (Distribution, error) {
	d, cv, err := pair(args)
	if err == nil && !(cv >= .001 && cv <= 100) {
		err = fmt.Errorf("coefficient of variation %v is out of range, 0.001 to 100", cv)
	}
	return Gamma{d, cv}, err
}

func parseLognormal(args []string) (Distribution, error) {
	if strings.HasPrefix(args[0], "p") {
		return lognormalThrough(args)
	}
	median, sigma, err := pair(args)
	return lognormal(math.Log(median.Seconds()), sigma, err)
}

func lognormal(mu, sigma float64, err error) (Distribution, error) {
	if err == nil && !(sigma >= 0 && sigma <= 6) {
		err = fmt.Errorf("sigma %v is out of range, 0 to 6", sigma)
	}
	return Lognormal{mu, sigma}, err
}

// lognormalThrough is the one that has two given quantiles.
func lognormalThrough(args []string) (Distribution, error) {
	if err := wants(args, 2); err != nil {
		return nil, err
	}
	a, err := point(args[0])
	if err != nil {
		return nil, err
	}
	b, err := point(args[1])
	switch {
	case err != nil:
		return nil, err
	case !(a.Q > 0 && a.Q < b.Q && b.Q < 1) || a.Value <= 0 || b.Value < a.Value:
		return nil, fmt.Errorf("two percentiles must ascend, strictly between p0 and p100, with positive durations")
	}
	za, zb := distuv.UnitNormal.Quantile(a.Q), distuv.UnitNormal.Quantile(b.Q)
	sigma := math.Log(float64(b.Value)/float64(a.Value)) / (zb - za)
	return lognormal(math.Log(a.Value.Seconds())-sigma*za, sigma, nil)
}

func parseTable(args []string) (Distribution, error) {
	points := make([]Point, len(args))
	for k, arg := range args {
		var err error
		if points[k], err = point(arg); err != nil {
			return nil, err
		}
	}
	t, err := NewTable(points)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// point reads "p99.9=2s".
func point(text string) (Point, error) {
	rank, value, ok := strings.Cut(text, "=")
	percent, err := strconv.ParseFloat(strings.TrimPrefix(rank, "p"), 64)
	if !ok || err != nil || !strings.HasPrefix(rank, "p") || !(percent >= 0 && percent <= 100) {
		return Point{}, fmt.Errorf("%q is not a percentile such as p99=2s", text)
	}
	d, err := duration(value)
	return Point{percent / 100, d}, err
}

// pair reads a positive duration and a number.
func pair(args []string) (time.Duration, float64, error) {
	if err := wants(args, 2); err != nil {
		return 0, 0, err
	}
	d, err := positive(args[0])
	if err != nil {
		return 0, 0, err
	}
	v, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return 0, 0, fmt.Errorf("%q is not a number", args[1])
	}
	return d, v, nil
}

func positive(text string) (time.Duration, error) {
	d, err := duration(text)
	if err == nil && d == 0 {
		err = fmt.Errorf("%q must be longer than 0", text)
	}
	return d, err
}

func duration(text string) (time.Duration, error) {
	d, err := units.ParseDuration(text)
	if err == nil && d > Longest {
		err = fmt.Errorf("%q is too long", text)
	}
	return d, err
}
