package lifecycle

import "time"

// Hybrid is the hybrid histogram policy of Shahrad et al., "Serverless in the
// Wild" (USENIX ATC 2020, section 4). It learns how long the function stays
// without requests from a histogram of those idle times, puts instances away
// when an early request is unlikely, starts one again shortly before the next
// is likely, and keeps it until the next is unlikely again. The defaults are
// the paper's.
type Hybrid struct {
	Bin      time.Duration // width of a bin of the histogram; 0 is 1 min
	Range    time.Duration // longest idle time within bounds; 0 is 4 h
	Head     float64       // quantile of the idle times before which no instance is kept; 0 is .05
	Tail     float64       // quantile until which one is; 0 is .99
	Margin   float64       // share by which the head is taken earlier and the tail later; 0 is .1
	MinCV    float64       // least coefficient of variation of the bins' counts for the histogram to be used; 0 is 2
	MaxOut   float64       // share of idle times out of bounds from which a forecast replaces the histogram; 0 is .5
	Standard time.Duration // keep-alive where neither is used; 0 is Range
	Recent   int           // number of last idle times that the forecast is made from; 0 is 10
	Slack    float64       // share by which the forecast is taken earlier and later; 0 is .15
}
