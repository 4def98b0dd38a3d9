package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// policyFields are the reference runtime's keys that decide about instances.
func policyFields() fields[Platform] {
	const ref = referencePlatform
	return fields[Platform]{
		key("keep_alive", keepAlives(), func(p *Platform) *keepAlive { return (*keepAlive)(&p.Policy) },
			"how long an idle instance lives (0 reaps it at once), or forever, or a survival curve, or the hybrid histogram").Of(ref).Defaults("10m"),
		{
			Name: "pause_after", In: []string{ref}, Example: "0s",
			Doc:    "an instance that has been idle for so long is frozen until its next request; 0s freezes it at once",
			Schema: strict.QuantitySchema(strict.DurationPattern, "0s", true),
			Read: func(r *reader, v strict.Value, p *Platform) {
				if d, ok := durations("0s", 0, longest).Read(r, v); ok {
					p.Policy.Pause, p.Policy.PauseAfter = true, d
				}
			},
		},
		key("instance_concurrency", counts(1, 1000), func(p *Platform) *int { return &p.Policy.Slots },
			"most requests that one instance serves at once").Of(ref).Defaults(1),
		key("routing_noise", shares("3%"), func(p *Platform) *float64 { return &p.Policy.Noise },
			"share of warm requests that take any idle instance instead of the one used last").Of(ref).Defaults("0%"),
		key("provisioned", levels(), func(p *Platform) *[]lifecycle.Level { return &p.Policy.Provisioned },
			"instances of each function that are kept ready ahead of requests, or when how many").Of(ref).Defaults(0),
		key("provisioned_period", durations("24h", 1, longest), func(p *Platform) *time.Duration { return &p.Policy.Period },
			"after how long provisioned begins again; without it it does not").Of(ref),
		key("ping", pings(), func(p *Platform) *lifecycle.Pings { return &p.Policy.Ping },
			"requests that the runtime sends each function to keep it warm; they are metered as the consumer keep-warm").Of(ref),
		key("concurrency", counts(0, 100_000), func(p *Platform) *int { return &p.Policy.Concurrency },
			"most requests at once over all functions; 0 is no limit (100 stay unreserved, as on Lambda)").Of(ref).Defaults(0),
		key("start_burst", counts(1, 100_000), func(p *Platform) *int { return &p.Policy.StartBurst },
			"starts that are allowed at once; without it starts are not bounded").Of(ref),
		startRateField().Of(ref),
		key("queue", counts(0, 1_000_000), func(p *Platform) *int { return &p.Policy.QueueLimit },
			"most requests that wait for an instance; 0 throttles at once").Of(ref).Defaults(0),
		key("queue_timeout", durations("1s", 1, longest), func(p *Platform) *time.Duration { return &p.Policy.QueueTimeout },
			"longest wait in the queue; without it there is no bound").Of(ref),
		bindingField().Of(ref).Defaults("early"),
		key("memory_budget", sizes("4GB", mb, 1<<50), func(p *Platform) *units.Bytes { return &p.Memory },
			"most memory of all instances together, by their limits; the instance used longest ago makes room").Of(ref),
		key("async_retries", counts(0, 10), func(p *Platform) *int { return p.asyncRetries() },
			"how often an asynchronous invocation is tried again that failed").Of(ref).Defaults(2),
		{
			Name: "async_waits", In: []string{ref}, Example: "[60s, 120s]",
			Doc:    "how long after the first failure, the second, ... that is",
			Schema: strict.ListSchema(durations("60s", 0, longest).Schema),
			Read: func(r *reader, v strict.Value, p *Platform) {
				items, ok := v.List("waits")
				for _, item := range items {
					if d, fine := durations("60s", 0, longest).Read(r, item); fine && ok {
						p.AsyncWaits = append(p.AsyncWaits, d)
					}
				}
			},
		},
		key("pool", pools(), func(p *Platform) *map[platform.Runtime]int { return &p.Pool },
			"runtimes that are kept booted without a function, for functions whose start is pool").Of(ref),
		key("bases", bases(), func(p *Platform) *map[platform.Runtime]string { return &p.Bases },
			"images with the interpreter, on which functions are built for containers (reference: in sandbox container); the defaults are Docker's official ones").Of(ref, dockerPlatform),
		key("start_delay", startDelays(), func(p *Platform) *map[platform.Runtime][]Quantile { return &p.StartDelay },
			"emulated: a start takes at least as long as drawn from these quantiles, or from the profile's").Of(ref),
	}
}

// asyncRetries is where the key goes: nil is the runtime's default.
func (p *Platform) asyncRetries() *int {
	p.AsyncRetries = new(int)
	return p.AsyncRetries
}

// keepAlive is a policy whose way to keep instances alive is read.
type keepAlive lifecycle.Policy

// set makes it the only way.
func (k keepAlive) set(d time.Duration, curve []lifecycle.Survivor, h *lifecycle.Hybrid) keepAlive {
	k.KeepAlive, k.Survival, k.Hybrid = d, curve, h
	return k
}

// forever is the keep-alive that does not end.
const forever = "forever"

func keepAlives() form[keepAlive] {
	const example = "10m"
	duration := durations(example, 0, longest)
	return form[keepAlive]{
		Example: example,
		Schema: schema{"anyOf": []schema{
			duration.Schema, {"const": forever}, strict.OneOfSchema(keepAliveFields().Object("")),
		}},
		Read: func(r *reader, v strict.Value) (keepAlive, bool) {
			k := keepAlive(r.policy)
			if v.IsMap() {
				m, _ := v.Map("keep_alive")
				before := len(r.faults)
				keepAliveFields().Into(&k, r, m, "keep_alive", "")
				if m.Get("survival").Given() == m.Get("hybrid").Given() && len(r.faults) == before {
					m.Fault("a keep_alive with both or none of survival and hybrid", "write one of them, or a duration")
				}
				return k, len(r.faults) == before
			}
			if text, ok := v.Plain(); ok && text == forever {
				return k.set(-1, nil, nil), true
			}
			d, ok := duration.Read(r, v)
			return k.set(d, nil, nil), ok
		},
	}
}

func keepAliveFields() fields[keepAlive] {
	return fields[keepAlive]{
		{
			Name: "survival", Example: "[{idle: 300s, alive: 92%}, {idle: 360s, alive: 0%}]",
			Doc:    "share of instances still alive after so long without a request; linear between the points, from 100% at 0s",
			Schema: strict.ListSchema(survivorFields().Object("")),
			Read: func(r *reader, v strict.Value, k *keepAlive) {
				if curve, ok := readList(r, v, "survival points", "a point of the curve", survivorFields()); ok {
					*k = k.set(0, curve, nil)
				}
			},
		},
		{
			Name: "hybrid", Example: "{}",
			Doc:    "learns each function's idle times, puts instances away in between and starts them ahead (Shahrad et al. 2020); the defaults are the paper's",
			Schema: hybridFields().Object(""),
			Read: func(r *reader, v strict.Value, k *keepAlive) {
				if m, ok := v.Map("hybrid"); ok {
					h := new(lifecycle.Hybrid)
					hybridFields().Into(h, r, m, "hybrid", "")
					*k = k.set(0, nil, h)
				}
			},
		},
	}
}

func survivorFields() fields[lifecycle.Survivor] {
	return fields[lifecycle.Survivor]{
		key("idle", durations("300s", 1, longest), func(s *lifecycle.Survivor) *time.Duration { return &s.Idle },
			"time without a request").Must(),
		key("alive", shares("92%"), func(s *lifecycle.Survivor) *float64 { return &s.Alive },
			"share of instances that are still alive then; the last is 0%").Must(),
	}
}

func hybridFields() fields[lifecycle.Hybrid] {
	duration := func(name, example string, at func(*lifecycle.Hybrid) *time.Duration, doc string) field[lifecycle.Hybrid] {
		return key(name, durations(example, 1, longest), at, doc).Defaults(example)
	}
	share := func(name, example string, at func(*lifecycle.Hybrid) *float64, doc string) field[lifecycle.Hybrid] {
		return key(name, shares(example), at, doc).Defaults(example)
	}
	return fields[lifecycle.Hybrid]{
		duration("bin", "60s", func(h *lifecycle.Hybrid) *time.Duration { return &h.Bin }, "width of a bin of the histogram of idle times"),
		duration("range", "4h", func(h *lifecycle.Hybrid) *time.Duration { return &h.Range }, "longest idle time within bounds"),
		share("head", "5%", func(h *lifecycle.Hybrid) *float64 { return &h.Head }, "share of idle times before which no instance is kept"),
		share("tail", "99%", func(h *lifecycle.Hybrid) *float64 { return &h.Tail }, "share of idle times until which one is"),
		share("margin", "10%", func(h *lifecycle.Hybrid) *float64 { return &h.Margin }, "how much earlier than the head and later than the tail"),
		key("min_cv", factors(0, 100, "2"), func(h *lifecycle.Hybrid) *float64 { return &h.MinCV }, "least coefficient of variation of the bins for the histogram to be used").Defaults(2),
		share("out_of_bounds", "50%", func(h *lifecycle.Hybrid) *float64 { return &h.MaxOut }, "share of idle times above the range from which a forecast replaces the histogram"),
		share("slack", "15%", func(h *lifecycle.Hybrid) *float64 { return &h.Slack }, "how much earlier and later than the forecast"),
		duration("standard", "4h", func(h *lifecycle.Hybrid) *time.Duration { return &h.Standard }, "keep-alive where neither is used"),
	}
}

func levelFields() fields[lifecycle.Level] {
	return fields[lifecycle.Level]{
		key("from", durations("8h", 0, longest), func(l *lifecycle.Level) *time.Duration { return &l.From },
			"from when on, since the beginning").Must(),
		key("count", counts(0, 100_000), func(l *lifecycle.Level) *int { return &l.Count },
			"how many").Must(),
	}
}

// levels are a number that holds always, or a list of them by time.
func levels() form[[]lifecycle.Level] {
	number := counts(0, 100_000)
	return form[[]lifecycle.Level]{
		Example: "2",
		Schema:  schema{"anyOf": []schema{number.Schema, strict.ListSchema(levelFields().Object(""))}},
		Read: func(r *reader, v strict.Value) ([]lifecycle.Level, bool) {
			if !v.IsList() {
				n, ok := number.Read(r, v)
				if n == 0 {
					return nil, ok
				}
				return []lifecycle.Level{{Count: n}}, ok
			}
			items, _ := v.List("levels")
			if slices.ContainsFunc(items, func(item strict.Value) bool { return !item.IsMap() }) {
				v.Fault("a level in the list says neither from when on nor how many", "write [{from: 0s, count: 1}, {from: 8h, count: 4}], or one number that holds always")
				return nil, false
			}
			list, ok := readList(r, v, "levels", "a level", levelFields())
			if ok && list[0].From != 0 {
				v.Fault("the first level does not begin at 0s", "add {from: 0s, count: 0} before it")
				return nil, false
			}
			return list, ok
		},
	}
}

func pings() form[lifecycle.Pings] {
	fs := fields[lifecycle.Pings]{
		key("every", durations("5m", 1, longest), func(p *lifecycle.Pings) *time.Duration { return &p.Every },
			"from one to the next").Must(),
		key("count", counts(1, 1000), func(p *lifecycle.Pings) *int { return &p.Count },
			"how many at once, to keep so many instances").Defaults(1),
	}
	return form[lifecycle.Pings]{
		Example: "{every: 5m}",
		Schema:  fs.Object(""),
		Read: func(r *reader, v strict.Value) (lifecycle.Pings, bool) {
			p := lifecycle.Pings{Count: 1}
			m, ok := v.Map("ping")
			if ok {
				fs.Into(&p, r, m, "ping", "")
			}
			return p, ok
		},
	}
}

// pooled are the runtimes that can be booted before it is known for what.
func pooled() []platform.Runtime { return []platform.Runtime{platform.NodeJS, platform.Python} }

func pools() form[map[platform.Runtime]int] {
	return byPooled("pool", "{nodejs: 2}", "2", "how many", counts(0, 1000))
}

func bases() form[map[platform.Runtime]string] {
	return byPooled("bases", "{nodejs: \"node:22-slim\"}", "node:22-slim", "its image", texts())
}

// byPooled has a value for each of the runtimes that have an interpreter.
func byPooled[T any](what, example, one, doc string, value form[T]) form[map[platform.Runtime]T] {
	type values = map[platform.Runtime]T
	var fs fields[values]
	for _, runtime := range pooled() {
		fs = append(fs, field[values]{
			Name: string(runtime), Example: one, Schema: value.Schema, Doc: doc,
			Read: func(r *reader, v strict.Value, p *values) {
				if x, ok := value.Read(r, v); ok {
					(*p)[runtime] = x
				}
			},
		})
	}
	return form[values]{
		Example: example,
		Schema:  fs.Object(""),
		Read: func(r *reader, v strict.Value) (values, bool) {
			p := make(values)
			m, ok := v.Map(what)
			if ok {
				fs.Into(&p, r, m, what, "")
			}
			return p, ok
		},
	}
}

func quantileFields() fields[Quantile] {
	return fields[Quantile]{
		key("share", shares("50%"), func(q *Quantile) *float64 { return &q.Share },
			"share of the starts").Must(),
		key("delay", durations("120ms", 0, longest), func(q *Quantile) *time.Duration { return &q.Delay },
			"that take at most so long").Must(),
	}
}

// fromProfile has the profile's delays used.
const fromProfile = "profile"

func startDelays() form[map[platform.Runtime][]Quantile] {
	type delays = map[platform.Runtime][]Quantile
	var fs fields[delays]
	for _, name := range runtimeNames() {
		fs = append(fs, field[delays]{
			Name: name, Example: "[{share: 50%, delay: 120ms}]", Doc: "of functions in " + name,
			Schema: strict.ListSchema(quantileFields().Object("")),
			Read: func(r *reader, v strict.Value, d *delays) {
				list, ok := readList(r, v, "quantiles", "a quantile", quantileFields())
				if ok && rising(v, list, func(q Quantile) float64 { return q.Share }, "share") &&
					rising(v, list, func(q Quantile) float64 { return float64(q.Delay) }, "delay") {
					(*d)[platform.Runtime(name)] = list
				}
			},
		})
	}
	return form[delays]{
		Example: fromProfile,
		Schema:  schema{"anyOf": []schema{{"const": fromProfile}, fs.Object("")}},
		Read: func(r *reader, v strict.Value) (delays, bool) {
			if text, ok := v.Plain(); ok && text == fromProfile {
				if len(r.profile.StartDelay) == 0 {
					what := "there is no profile"
					if r.profile.Name != "" {
						what = "profile " + r.profile.Name + " has no start delays"
					}
					v.Fault(what, "only profile lambda has start delays: name that one, or say the delays")
				}
				return r.profile.StartDelay, true
			}
			d := make(delays)
			m, ok := v.Map("start_delay")
			if ok {
				fs.Into(&d, r, m, "start_delay", "")
			}
			return d, ok
		},
	}
}

// rising reports a list that does not rise.
func rising[T any](v strict.Value, list []T, of func(T) float64, what string) bool {
	for i := 1; i < len(list); i++ {
		if of(list[i]) <= of(list[i-1]) {
			v.Fault(fmt.Sprintf("%s number %d does not rise above the one before", what, i+1), "list them in rising order")
			return false
		}
	}
	return true
}

// readList reads a list of mappings with the same keys, at least one; it is not
// ok where anything in it is at fault.
func readList[T any](r *reader, v strict.Value, of, one string, fs fields[T]) ([]T, bool) {
	before := len(r.faults)
	list, ok := fs.List(r, v, of, one)
	return list, ok && len(r.faults) == before
}

// startRateField is a rate in the file and a period in the policy. It is read
// after start_burst, which bounds how slow it can be.
func startRateField() field[Platform] {
	rate := rates("100/s", tiny)
	return field[Platform]{
		Name:    "start_rate",
		Doc:     "starts that are allowed in the long run; goes with start_burst",
		Example: rate.Example,
		Schema:  rate.Schema,
		Read: func(r *reader, v strict.Value, p *Platform) {
			value, ok := rate.Read(r, v)
			if !ok || p.Policy.StartBurst == 0 { // that it goes with start_burst is said elsewhere
				return
			}
			every := float64(time.Second) / float64(value)
			if most := math.MaxInt64 / float64(p.Policy.StartBurst); every >= most {
				v.Fault("too slow for a start_burst of "+fmt.Sprint(p.Policy.StartBurst), "write a higher rate, or a smaller start_burst")
				return
			}
			p.Policy.StartEvery = max(1, time.Duration(every))
		},
	}
}

// checkPolicy reports what the keys say together that no policy can be. Before
// is how many faults there were when their reading began.
func (r *reader) checkPolicy(m strict.Map, p *Platform, before int) {
	if m.Get("start_rate").Given() != m.Get("start_burst").Given() {
		m.Fault("one of start_rate and start_burst without the other", "write both, or none for unbounded starts")
	}
	if v := m.Get("queue_timeout"); v.Given() && p.Policy.QueueLimit == 0 {
		v.Fault("queue_timeout without a queue", "add queue: 100, or leave it out")
	}
	if err := p.Policy.Validate(); err != nil && len(r.faults) == before {
		for _, problem := range strings.Split(err.Error(), "\n") {
			m.Fault(strings.TrimPrefix(problem, "lifecycle policy: "), "change the keys that it names")
		}
	}
}
