package prices

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

type (
	field[T any]  = strict.Field[*reader, T]
	fields[T any] = strict.Fields[*reader, T]
	form[V any]   = strict.Form[*reader, V]
	schema        = strict.Schema
)

func key[T, V any](name string, f form[V], at func(*T) *V, doc string) field[T] {
	return strict.NewField(name, f, at, doc)
}

func texts() form[string] { return strict.Texts[*reader]() }

func words(what string, allowed []string) form[string] {
	return strict.Words[*reader](what, allowed)
}

// named are texts of a certain look.
func named(what, pattern, example string) form[string] {
	legal := regexp.MustCompile(pattern)
	return form[string]{
		Read: func(_ *reader, v strict.Value) (string, bool) {
			text, ok := v.Text()
			if ok && !legal.MatchString(text) {
				v.Fault(strict.Quote(text)+" is not a "+what, "write for example "+example)
				return "", false
			}
			return text, ok
		},
		Example: example,
		Schema:  schema{"type": "string", "pattern": pattern},
	}
}

const word = `[A-Za-z0-9][A-Za-z0-9._-]*`

func productIDs() form[string] {
	return named("product", `^`+word+`/`+word+`$`, "aws/lambda")
}

func names(what, example string) form[string] { return named(what, `^`+word+`$`, example) }

// dates are days, months or years; with days alone, the days from and until
// which something holds.
func dates(daysOnly bool) form[Date] {
	pattern, example := `^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$`, "2026-09-19"
	if daysOnly {
		pattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	}
	return form[Date]{
		Read: func(_ *reader, v strict.Value) (Date, bool) {
			text, ok := v.Quantity("a date", example)
			if !ok {
				return 0, false
			}
			d, err := ParseDate(text)
			switch {
			case err != nil:
				v.Fault(strict.Quote(text)+" is not a date", "write it as "+example)
			case daysOnly && !d.IsDay():
				v.Fault(strict.Quote(text)+" is not a day", "write the day too, as "+example)
			default:
				return d, true
			}
			return 0, false
		},
		Example: example,
		Schema:  schema{"anyOf": []schema{{"type": "string", "pattern": pattern}, {"type": "integer", "minimum": 1900, "maximum": 2999}}},
	}
}

// decimals are exact numbers of at least 0.
func decimals(example string) form[Decimal] {
	return form[Decimal]{
		Read: func(_ *reader, v strict.Value) (Decimal, bool) {
			text, ok := v.Quantity("a number", example)
			if !ok {
				return Decimal{}, false
			}
			d, err := ParseDecimal(text)
			if err != nil {
				v.Fault(err.Error(), "write a number of at least 0, for example "+example)
				return Decimal{}, false
			}
			return d, true
		},
		Example: example,
		Schema: schema{"anyOf": []schema{
			{"type": "number", "minimum": 0},
			{"type": "string", "pattern": `^[0-9][0-9,]*\.?[0-9]*([eE][+-]?[0-9]+)?$`},
		}},
	}
}

// shares are decimals from 0 to 1.
func shares(example string) form[Decimal] {
	plain := decimals(example)
	return form[Decimal]{
		Read: func(r *reader, v strict.Value) (Decimal, bool) {
			d, ok := plain.Read(r, v)
			if ok && d.Cmp(Whole(1)) > 0 {
				v.Fault(d.String()+" is more than 1", "write a share, for example "+example)
				return Decimal{}, false
			}
			return d, ok
		},
		Example: example,
		Schema:  schema{"anyOf": []schema{{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": `^(0(\.[0-9]+)?|1(\.0+)?)$`}}},
	}
}

// dollars are decimals that may have a dollar sign.
func dollars(example string) form[Decimal] {
	plain := decimals(example)
	return form[Decimal]{
		Read: func(r *reader, v strict.Value) (Decimal, bool) {
			text, _ := v.Plain()
			if number, ok := strings.CutPrefix(text, "$"); ok {
				v.Fault("a dollar sign in "+strict.Quote(text), "write "+number+": prices are in US dollars")
				return Decimal{}, false
			}
			return plain.Read(r, v)
		},
		Example: example,
		Schema:  plain.Schema,
	}
}

// counts are whole numbers of at least 1.
func counts(example string) form[int64] {
	return form[int64]{
		Read: func(_ *reader, v strict.Value) (int64, bool) {
			text, ok := v.Quantity("a whole number", example)
			if !ok {
				return 0, false
			}
			n, err := units.ParseCount(text)
			if err != nil || n < 1 || n > 1e15 {
				v.Fault(strict.Quote(text)+" is not a whole number from 1 to 1e15", "write for example "+example)
				return 0, false
			}
			return n, true
		},
		Example: example,
		Schema: schema{"anyOf": []schema{
			{"type": "integer", "minimum": 1, "maximum": int64(1e15)},
			{"type": "string", "pattern": `^[0-9][0-9,.eE+]*$`},
		}},
	}
}

func durations(example string) form[time.Duration] {
	return strict.Durations[*reader](example, 1, 100*365*24*time.Hour)
}

func sizes(example string) form[units.Bytes] {
	return strict.Sizes[*reader](example, 1, math.MaxInt64)
}

// unitNames are [Units].
func unitNames() form[string] { return words("unit", Units()) }

// wordLists are lists of names.
func wordLists(of, example string) form[[]string] {
	one := names("dimension", "duration_x86")
	return form[[]string]{
		Read: func(r *reader, v strict.Value) ([]string, bool) {
			items, ok := v.List(of)
			var list []string
			for _, item := range items {
				name, fine := one.Read(r, item)
				if fine && slices.Contains(list, name) {
					item.Fault(name+" a second time", "leave one out")
				}
				list, ok = append(list, name), ok && fine
			}
			if ok && len(list) == 0 {
				v.Fault("no "+of, "write at least one: "+example)
				return nil, false
			}
			return list, ok
		},
		Example: example,
		Schema:  strict.ListSchema(one.Schema),
	}
}

// memories are a list of sizes, or those from one to another in steps.
func memories() form[Memory] {
	size := sizes("2GB")
	fs := fields[Memory]{
		key("from", size, func(m *Memory) *units.Bytes { return &m.From }, "the smallest").Must(),
		key("to", size, func(m *Memory) *units.Bytes { return &m.To }, "the largest").Must(),
		key("step", size, func(m *Memory) *units.Bytes { return &m.Step }, "what lies between two sizes").Must(),
	}
	return form[Memory]{
		Read: func(r *reader, v strict.Value) (Memory, bool) {
			var m Memory
			if !v.IsMap() {
				var ok bool
				m.Sizes, ok = memoryList(r, v, size)
				return m, ok
			}
			before := len(r.faults)
			keys, _ := v.Map("memory")
			fs.Into(&m, r, keys, "memory", "")
			if len(r.faults) > before {
				return Memory{}, false
			}
			if m.To < m.From || (m.To-m.From)%m.Step != 0 {
				v.Fault(fmt.Sprintf("no number of steps of %s leads from %s to %s", m.Step, m.From, m.To), "write a to that is from plus a whole number of steps")
				return Memory{}, false
			}
			return m, true
		},
		Example: "[512MB, 1GB, 2GB]",
		Schema:  schema{"anyOf": []schema{strict.ListSchema(size.Schema), fs.Object("")}},
	}
}

func memoryList(r *reader, v strict.Value, size form[units.Bytes]) ([]units.Bytes, bool) {
	items, ok := v.List("sizes")
	var list []units.Bytes
	for _, item := range items {
		b, fine := size.Read(r, item)
		if fine && len(list) > 0 && b <= list[len(list)-1] {
			item.Fault("sizes that do not ascend", "write each once, the smallest first")
			fine = false
		}
		list, ok = append(list, b), ok && fine
	}
	if ok && len(list) == 0 {
		v.Fault("no sizes", "write at least one, for example [512MB, 1GB]")
		return nil, false
	}
	return list, ok
}

// factKind is what the value of a fact is.
type factKind struct {
	read  func(string, *Fact) error
	words []string // the values that it can have; nil for any that can be read
	doc   string
}

func sizeFact(doc string) factKind {
	return factKind{func(s string, f *Fact) (err error) { f.Bytes, err = units.ParseBytes(s); return err }, nil, doc + " (a size)"}
}

func timeFact(doc string) factKind {
	return factKind{func(s string, f *Fact) (err error) { f.Duration, err = units.ParseDuration(s); return err }, nil, doc + " (a time)"}
}

func numberFact(doc string) factKind {
	return factKind{func(s string, f *Fact) (err error) { f.Number, err = ParseDecimal(s); return err }, nil, doc + " (a number)"}
}

func wordFact(doc string, allowed ...string) factKind {
	return factKind{func(s string, _ *Fact) error {
		if !slices.Contains(allowed, s) {
			return errors.New(strict.Quote(s) + " is none of " + strings.Join(allowed, ", "))
		}
		return nil
	}, allowed, doc}
}

// The values of init_billed.
const (
	InitAll              = "all"                // of every cold start
	InitExceptManagedZip = "except_managed_zip" // not of functions in a zip archive on one of the provider's runtimes
)

// factKinds is the facts that a product can have. What decides whether work can
// be done, or how it is counted, is one of them.
func factKinds() map[string]factKind {
	return map[string]factKind{
		"memory_min":           sizeFact("the least memory"),
		"memory_max":           sizeFact("the most memory"),
		"memory_step":          sizeFact("memory comes in multiples of this"),
		"memory_per_vcpu":      sizeFact("memory that comes with one vCPU, where vCPU is in proportion to memory"),
		"vcpu_min":             numberFact("the fewest vCPUs"),
		"vcpu_max":             numberFact("the most vCPUs"),
		"duration_max":         timeFact("how long an invocation may take"),
		"cpu_max":              timeFact("how much processor time an invocation may take"),
		"init_max":             timeFact("how long an init may take"),
		"init_ahead_max":       timeFact("how long an init ahead of requests may take"),
		"init_billed":          wordFact("whose init is billed as duration", InitAll, InitExceptManagedZip),
		"start_billed":         wordFact("whether an instance is billed while it starts", "yes", "no"),
		"payload_max":          sizeFact("the largest request"),
		"response_max":         sizeFact("the largest response"),
		"async_payload_max":    sizeFact("the largest asynchronous event"),
		"async_request_size":   sizeFact("the size up to which an asynchronous event is one request"),
		"async_request_step":   sizeFact("what more of an asynchronous event is one request more"),
		"storage_free":         sizeFact("storage that costs nothing"),
		"storage_max":          sizeFact("the most storage"),
		"stream_free":          sizeFact("how much of each streamed response costs nothing"),
		"concurrency":          numberFact("requests at once in one instance, unless configured"),
		"concurrency_max":      numberFact("requests at once in one instance, at most"),
		"account_concurrency":  numberFact("instances or requests at once in an account and region, until raised"),
		"instances_min":        numberFact("instances that are always there, and paid"),
		"instances_max":        numberFact("instances of one function or service, at most"),
		"provisioned_above":    numberFact("share of use above which provisioned capacity is cheaper"),
		"lcu_new_connections":  numberFact("new connections a second in one load balancer capacity unit"),
		"lcu_connections":      numberFact("open connections in one load balancer capacity unit"),
		"lcu_bytes":            sizeFact("bytes an hour in one load balancer capacity unit"),
		"lcu_lambda_bytes":     sizeFact("bytes an hour in one load balancer capacity unit, for functions behind it"),
		"lcu_rules":            numberFact("rules evaluated a second in one load balancer capacity unit"),
		"iops_included":        numberFact("operations a second that come with a disk"),
		"throughput_included":  sizeFact("bytes a second that come with a disk"),
		"egress_included":      sizeFact("bytes a month out of the data centre that come with an instance"),
		"billed_while_stopped": wordFact("whether a stopped machine is billed", "yes", "no"),
		"month_hours":          numberFact("the hours that the provider takes a month for"),
	}
}

func factNames() []string {
	var list []string
	for name := range factKinds() {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// readFact gives a fact the value of its kind.
func readFact(f *Fact, v strict.Value) {
	kind, known := factKinds()[f.Name]
	if !known {
		return // its name is at fault
	}
	err := kind.read(f.Value, f)
	if e, ok := errors.AsType[*units.Error](err); ok {
		v.Fault(fmt.Sprintf("%s %s: %s", e.Quantity, strict.Quote(e.Text), e.Problem), e.Instead)
	} else if err != nil {
		v.Fault(err.Error(), f.Name+" is "+kind.doc)
	}
}
