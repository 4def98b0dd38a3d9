package prices

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Global is the region of what holds in every region.
const Global = "global"

// Price is what Per units of a dimension cost, from and until when, and who says
// so. It is shared and must not be written to.
type Price struct {
	Product   string `json:"product"`   // "aws/lambda", "aws/ec2/c7g.large"
	Region    string `json:"region"`    // "us-east-1"; [Global] where it holds everywhere
	Dimension string `json:"dimension"` // "duration_x86"
	Unit      string `json:"unit"`      // "GB-second": one of [Units]
	// Per is how many units a tier's price is for: 1,000,000 where requests are
	// sold by the million. At least 1.
	Per   int64  `json:"per"`
	Tiers []Tier `json:"tiers"` // without gaps, from 0 up
	// Rounding is what becomes of each invocation's (or instance's, ...) own
	// amount before the amounts are summed; zero for nothing.
	Rounding Rounding `json:"rounding,omitzero"`
	// Free is what costs nothing; nil for nothing. It may be shared with other
	// prices, which then have the same pointer.
	Free *Allowance `json:"free,omitempty"`
	// Cap is the most that one instance costs in a month, in US dollars; 0 for
	// no cap.
	Cap  Decimal `json:"month_cap_usd,omitzero"`
	Note string  `json:"note,omitempty"`
	Span
	Origin
}

// Tier is the price of the quantity in [From, To) of a month.
type Tier struct {
	From Decimal `json:"from"`        // in units
	To   Decimal `json:"to,omitzero"` // in units; 0 is without end
	USD  Decimal `json:"usd"`         // US dollars for Per units
}

// Origin is where a figure is from.
type Origin struct {
	Source string `json:"source"`
	AsOf   Date   `json:"as_of"` // when it was so; the year of reading for a document that has no date
	// Confidence is A for a price list or the vendor's document that was read, B
	// for a third party's that was read, C for what is told from memory (never a
	// price), "own" for the reader's own.
	Confidence string `json:"confidence"`
	File       string `json:"file"` // the file of the book or overlay
	Line       int    `json:"line"`
}

const fromMemory = "C"

// Caveat is what a reader must be told wherever the figure decides something;
// "" for a figure that somebody looked up.
func (o Origin) Caveat() string {
	if o.Confidence == fromMemory {
		return "from memory, not verified"
	}
	return ""
}

// Rounding says how each one's own amount is rounded up before it is summed.
// All zero is not at all.
type Rounding struct {
	Each      string        `json:"each,omitempty"`             // what is rounded on its own: "invocation", "instance"
	Time      time.Duration `json:"time_ns,omitempty"`          // time, up to a multiple of this; 0 is exact
	LeastTime time.Duration `json:"least_time_ns,omitempty"`    // and at least this
	Size      units.Bytes   `json:"size_bytes,omitempty"`       // sizes, up to a multiple of this; 0 is exact
	LeastSize units.Bytes   `json:"least_size_bytes,omitempty"` // and at least this
}

// BilledTime is a time as it is billed: rounded up to a multiple of Time and at
// least LeastTime.
func (r Rounding) BilledTime(d time.Duration) time.Duration { return roundUp(d, r.Time, r.LeastTime) }

// BilledSize is a size as it is billed: rounded up to a multiple of Size and at
// least LeastSize.
func (r Rounding) BilledSize(b units.Bytes) units.Bytes { return roundUp(b, r.Size, r.LeastSize) }

func roundUp[N ~int64](n, step, least N) N {
	if step > 0 {
		if rest := n % step; rest > 0 {
			n += step - rest
		}
	}
	return max(n, least)
}

// Allowance is a quantity that costs nothing. What it leaves is what the tiers
// count.
type Allowance struct {
	Name     string  `json:"name"`
	Product  string  `json:"product"`
	Quantity Decimal `json:"quantity"`
	Unit     string  `json:"unit"`
	Each     string  `json:"each"` // "month" or "day"
	// Included says that it comes with what is paid anyway; else it is a free
	// tier, which an account has once and which its other functions may use up.
	Included   bool     `json:"included"`
	Dimensions []string `json:"dimensions"` // that share it, in the order in which they use it up
	Note       string   `json:"note,omitempty"`
	Span
	Origin
}
