package cost

import (
	"math/big"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// surplusDimension is what a burstable machine's product sells beyond the
// baseline of the machine's family: "surplus_credits_t3".
func surplusDimension(i *prices.Instance) string {
	family, _, _ := strings.Cut(i.Type, ".")
	return "surplus_credits_" + family
}

// unlimited says that machines of the type may use more than their baseline for
// a price.
func unlimited(p *prices.Product, i *prices.Instance) bool {
	for _, price := range p.Prices {
		if price.Dimension == surplusDimension(i) {
			return true
		}
	}
	return false
}

// baseline is the share of its vCPUs that a burstable machine may use all the
// time; false for one that has them to itself.
func baseline(i *prices.Instance) (share *big.Rat, burstable bool) {
	share = i.Baseline.Rat()
	return share, share.Sign() > 0 && share.Cmp(big.NewRat(1, 1)) < 0
}

// processorTime is the CPU time in nanoseconds that the requests take; nil
// where nobody knows it.
func (m *meter) processorTime(f *Fleet) *big.Int {
	switch {
	case f.CPU > 0:
		return of(nanoseconds, uint64(f.CPU)).times(f.Lives.N(), nanoseconds).n
	case m.CPU != nil && m.Requests > 0:
		return billed(m.CPU, Rounding{}, m.Requests).n
	}
	return nil
}

// surplus bills what burstable machines use on average beyond their baseline,
// where that can be bought; else they cannot do the work.
func (m *meter) surplus(f *Fleet) error {
	i := m.service.instance
	base, burstable := baseline(i)
	if !burstable {
		return nil
	}
	name, allowed := m.product()+"/"+i.Type, "its baseline of "+percent(base)+" of the vCPUs"
	used := m.processorTime(f)
	if used == nil {
		m.tally.note("%s: how much CPU time it uses is not known, and what is beyond %s is not billed; --cpu-time says how much a request takes.", name, allowed)
		return nil
	}
	sold := unlimited(m.service.product, i)
	if sold {
		m.tally.note("%s in unlimited mode: mean use beyond %s is billed as surplus credits, and below it nothing. Credits that an instance has at its start are not modelled, nor days that use more than others.", name, allowed)
	}
	whole := billed(f.Lives, Rounding{}, f.Lives.N()).times(uint64(i.VCPU), nanoseconds).n
	use := percent(new(big.Rat).SetFrac(used, whole))
	beyond := new(big.Rat).Mul(base, new(big.Rat).SetInt(whole))
	beyond.Sub(new(big.Rat).SetInt(used), beyond)
	switch {
	case beyond.Sign() <= 0 && !sold:
		m.tally.note("%s: the mean use is within %s; hours above it are taken to live on credits of those below.", name, allowed)
		return nil
	case beyond.Sign() <= 0:
		return nil
	case !sold:
		return &Impossible{Product: name, Limit: "a machine may use " + percent(base) + " of its vCPUs all the time, and no more is sold",
			Have: "the requests take " + use + " on average", Origin: i.Origin}
	}
	p, err := m.price(surplusDimension(i))
	if err != nil {
		return err
	}
	_, unit := unitOf("vCPU-hour")
	beyond.Mul(beyond, big.NewRat(1000, 1)).Quo(beyond, new(big.Rat).SetInt(unit))
	m.tally.addUnits(p, beyond, new(big.Rat), ByCompute, "unlimited mode: mean use of "+use+" of the vCPUs less the baseline of "+percent(base)+", times vCPUs and hours")
	return nil
}

func percent(share *big.Rat) string {
	f, _ := share.Float64()
	return units.FormatShare(f)
}
