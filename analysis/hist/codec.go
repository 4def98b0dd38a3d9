package hist

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/coldcurve/coldcurve/analysis/whole"
)

// encoded is a histogram in a JSON document: the HdrHistogram family's own
// compressed form (V2, base64), and what is exact beside it. The sum is in two
// halves of 64 bits, as it may not fit into one.
type encoded struct {
	N          uint64        `json:"n"`
	Min        time.Duration `json:"min_ns"`
	Max        time.Duration `json:"max_ns"`
	SumHigh    uint64        `json:"sum_high,omitempty"`
	SumLow     uint64        `json:"sum_low"`
	OutOfRange uint64        `json:"out_of_range,omitempty"`
	Beyond     time.Duration `json:"beyond_ns,omitempty"` // the greatest that was above the range
	HDR        string        `json:"hdr,omitempty"`       // "" where n is 0
}

// MarshalJSON writes all that the histogram knows; a few hundred bytes for what
// a run records.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	e := encoded{N: h.n, Min: h.min, Max: h.max, SumHigh: h.sum.high, SumLow: h.sum.low, OutOfRange: h.outOfRange, Beyond: h.beyond}
	if h.n > 0 {
		text, err := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("encode histogram: %w", err)
		}
		e.HDR = string(text)
	}
	return json.Marshal(e)
}

// UnmarshalJSON reads what MarshalJSON wrote. What contradicts itself is
// refused, as somebody may have edited the file.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var e encoded
	if err := whole.Decode(text, &e); err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	read := New()
	if e.HDR != "" {
		if err := read.decode(e.HDR); err != nil {
			return fmt.Errorf("decode histogram: %w", err)
		}
	}
	read.n, read.min, read.max = uint64(read.hdr.TotalCount()), e.Min, e.Max
	read.sum, read.outOfRange, read.beyond = sum{e.SumHigh, e.SumLow}, e.OutOfRange, e.Beyond
	if err := read.check(e.N); err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	*h = *read
	return nil
}

// errCounts says of encoded counts what can be told: what the library gives for
// an error depends on which byte of the compressed text is the first wrong one.
var errCounts = errors.New("its counts (hdr) were cut off or changed")

// decode adds the counts of an encoded histogram, whatever its geometry. The
// library panics on some texts that no encoder writes.
func (h *Histogram) decode(text string) (err error) {
	defer func() {
		if recover() != nil {
			err = errCounts
		}
	}()
	hdr, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return errCounts
	}
	if dropped := h.hdr.Merge(hdr); dropped > 0 {
		return fmt.Errorf("%d values are beyond %v", dropped, Highest)
	}
	return nil
}

// AddEncoded adds the counts of a histogram in nanoseconds as a line of a .hlog
// has it (compressed, base64): each value as the middle of its bar.
func (h *Histogram) AddEncoded(text string) error {
	read := New()
	if err := read.decode(text); err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	read.n = uint64(read.hdr.TotalCount())
	for bar := range read.Bars() {
		h.RecordN(min(bar.Low+(bar.High-bar.Low)/2, Highest), bar.Count)
	}
	return nil
}

// check holds the exact figures against the counts.
func (h *Histogram) check(n uint64) error {
	if h.beyond != 0 && (h.outOfRange == 0 || h.beyond <= Highest) {
		return fmt.Errorf("the greatest beyond %v is %v, of %d", Highest, h.beyond, h.outOfRange)
	}
	if n != h.n {
		return fmt.Errorf("n is %d, and %d values are there", n, h.n)
	}
	if n == 0 {
		if h.min != 0 || h.max != 0 || h.sum != (sum{}) {
			return errors.New("no values, and yet a minimum, a maximum or a sum")
		}
		return nil
	}
	if h.min < 0 || h.max > Highest || h.min > h.max {
		return fmt.Errorf("values from %v to %v", h.min, h.max)
	}
	least, most := times(h.min, n), times(h.max, n)
	if h.sum.less(least) || most.less(h.sum) {
		return fmt.Errorf("the sum is none of %d values from %v to %v", n, h.min, h.max)
	}
	return nil
}

func times(d time.Duration, n uint64) sum {
	high, low := bits.Mul64(uint64(d), n)
	return sum{high, low}
}

func (s sum) less(t sum) bool { return s.high < t.high || s.high == t.high && s.low < t.low }
