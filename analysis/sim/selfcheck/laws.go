package selfcheck

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// laws is what is checked. Traffic is Poisson with L requests a second; times
// are in seconds.
func laws() (all []law) {
	all = append(all, keepAlive()...)
	all = append(all, instant())
	all = append(all, memoryless()...)
	all = append(all, erlangB())
	all = append(all, erlangC()...)
	all = append(all, sharing()...)
	all = append(all, simfaas())
	return append(all, always()...)
}

// keepAlive is the exact solution for one request an instance, the instance used
// last taken first, keep-alive T and exponential service: B is the number busy
// of an M/M/inf queue, rho = L S, and tau_n its first passage from n to n+1:
//
//	p_cold = sum_n Pois(rho; n) P(tau_n > T)
//	E[N]   = sum_{k>=1} [P(B>=k) + L Pois(rho; k-1) E min(tau_{k-1}, T)]
func keepAlive() (all []law) {
	const source = "first passages of M/M/inf"
	for _, row := range []struct{ rate, service, keep, cold, instances, work float64 }{
		{.0018631, 1.986, 600, .32943588, .678341, 1e6},
		{.05, 1.986, 600, .01067195, 2.042512, 4e6},
		{.9, 2.016, 600, .00133502, 7.736599, 12e6},
		{1, 1, 60, .01139262, 4.594982, 4e6},
	} {
		all = append(all, law{
			name: fmt.Sprintf("L=%v S=%v T=%v", row.rate, row.service, row.keep), rate: row.rate, work: row.work,
			options: sim.Options{Policy: lifecycle.Policy{KeepAlive: secs(row.keep)}, Service: exponential(row.service)},
			figures: []figure{
				{"cold share", source, row.cold, 0, pCold},
				{"instances", source, row.instances, 0, instances},
				{"busy", "L E[S]", row.rate * row.service, 0, busy},
			},
		})
	}
	return all
}

// instant is the limit of no service: a request is cold if none came within T.
func instant() law {
	const rate, keep = 1. / 300, 600.
	return law{
		name: "L=1/300 S=0 T=600", rate: rate, work: 2e6,
		options: sim.Options{Policy: lifecycle.Policy{KeepAlive: secs(keep)}, Service: dist.Constant(1)},
		figures: []figure{
			{"cold share", "exp(-L T)", math.Exp(-rate * keep), 0, pCold},
			{"instances", "1 - exp(-L T)", -math.Expm1(-rate * keep), 0, instances},
			{"life (s)", "(exp(L T) - 1) / L", math.Expm1(rate*keep) / rate, 0, life},
		},
	}
}

// memoryless idle spells: which instance is taken does not matter.
func memoryless() (all []law) {
	const source = "birth and death of idle instances"
	for _, row := range []struct{ rate, service, mean, cold, idle float64 }{
		{.1, 2, 600, .03236428, 1.941857},
		{1, 1, 60, .04492148, 2.695289},
	} {
		for _, noise := range []float64{0, 1} {
			var curve []lifecycle.Survivor
			for t := .01; t < 16; t += .01 { // steps small enough to be a line
				curve = append(curve, lifecycle.Survivor{Idle: secs(t * row.mean), Alive: math.Exp(-t)})
			}
			curve = append(curve, lifecycle.Survivor{Idle: secs(17 * row.mean)})
			all = append(all, law{
				name: fmt.Sprintf("L=%v S=%v T~exp(%v) noise=%v", row.rate, row.service, row.mean, noise), rate: row.rate, work: 2e6,
				options: sim.Options{
					Policy:  lifecycle.Policy{Survival: curve, Noise: noise},
					Service: exponential(row.service), Warmup: secs(10 * row.mean),
				},
				figures: []figure{{"cold share", source, row.cold, 0, pCold}, {"idle", source, row.idle, 0, idle}},
			})
		}
	}
	return all
}

// erlangB is a limit without a queue.
func erlangB() law {
	return law{
		name: "a=8 on 10, no queue", rate: 8, work: 4e6,
		options: sim.Options{Policy: lifecycle.Policy{KeepAlive: -1, Concurrency: 10}, Service: exponential(1)},
		figures: []figure{{"throttled", "Erlang B", .1216610643, 0, throttled}},
	}
}

// erlangC is a limit with an endless queue: the share that waits, and the mean
// wait C / (c mu - L).
func erlangC() (all []law) {
	for _, row := range []struct {
		load    float64
		servers int
		waiting float64
	}{{.8, 1, .8}, {1.6, 2, .7111111}, {8, 10, .4091802}} {
		all = append(all, law{
			name: fmt.Sprintf("a=%v on %d, endless queue", row.load, row.servers), rate: row.load, work: 6e6,
			options: sim.Options{
				Policy:  lifecycle.Policy{KeepAlive: -1, Concurrency: row.servers, QueueLimit: math.MaxInt},
				Service: exponential(1), Warmup: 10 * time.Minute,
			},
			figures: []figure{
				{"queued", "Erlang C", row.waiting, 5e-8, queued},
				{"wait (s)", "C / (c mu - L)", row.waiting / (float64(row.servers) - row.load), 5e-7, wait},
			},
		})
	}
	return all
}

// sharing is requests that share one processor of one instance evenly: the mean
// time in it is S / (1 - rho), whatever the distribution (Kleinrock 1967).
func sharing() (all []law) {
	for _, text := range []string{"exp:100ms", "const:100ms", "gamma:100ms,2"} {
		all = append(all, law{
			name: "a=.7 on one processor, S~" + form(text), rate: 7, work: 4e6,
			options: sim.Options{
				Policy:  lifecycle.Policy{KeepAlive: -1, Concurrency: 1, Slots: 1000, QueueLimit: math.MaxInt},
				Service: parsed(text), Contention: sim.Contention{Cores: 1}, Warmup: time.Minute,
			},
			figures: []figure{{"in service (s)", "S / (1 - rho)", .1 / .3, 0, service}, {"busy", "rho", .7, 0, busy}},
		})
	}
	return all
}

// simfaas is the example that SimFaaS publishes (Mahmoudi and Khazaei 2021),
// once in the paper and once rerun: what lies between the two is right.
func simfaas() law {
	return law{
		name: "SimFaaS L=.9 S=1.991, cold 2.244", rate: .9, work: 12e6,
		options: sim.Options{
			Policy:  lifecycle.Policy{KeepAlive: 600 * time.Second},
			Service: exponential(1.991), ColdService: exponential(2.244),
		},
		figures: []figure{
			{"cold share", "published .0014, rerun .0013", .00135, .0001, pCold},
			{"instances", "published 7.6612, rerun 7.6910", 7.6761, .0149, instances},
		},
	}
}

// always holds whatever the distributions: E[busy] = L E[S], and of instances
// E[N] = L p_cold E[life].
func always() (all []law) {
	for _, text := range []string{"lognormal:100ms,1", "weibull:100ms,0.7", "gamma:100ms,2", "const:100ms", "table:p0=10ms,p50=80ms,p99=1s,p100=2s"} {
		service := parsed(text)
		all = append(all, law{
			name: "L=5 S~" + form(text) + " start~exp(1)", rate: 5, work: 1e6,
			options: sim.Options{Policy: lifecycle.Policy{KeepAlive: time.Minute}, Service: service, StartDelay: dist.Exponential(time.Second)},
			figures: []figure{
				{"busy", "L E[S]", 5 * service.Mean().Seconds(), 0, busy},
				{"N/(L p life)", "Little", 1, 0, little},
			},
		})
	}
	return all
}

// form is what kind of distribution a text is of.
func form(text string) string {
	name, _, _ := strings.Cut(text, ":")
	return name
}

// parsed is a distribution from a text of this file.
func parsed(text string) dist.Distribution {
	d, err := dist.Parse(text)
	if err != nil {
		panic(err)
	}
	return d
}

func little(r *sim.Result) float64 { return r.InstancesMean / (5 * r.PCold * life(r)) }
