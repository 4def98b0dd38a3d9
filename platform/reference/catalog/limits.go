package catalog

import "github.com/coldcurve/coldcurve/analysis/units"

// Limits are a platform's bounds of what a function may be set to. Memory,
// timeout and environment are bounded by engine.Limits, code by code.Limits.
type Limits struct {
	Storage             [2]units.Bytes // least and most bytes of /tmp, whole MB
	StorageDefault      units.Bytes    // where a function names none
	Description         int            // most characters
	Handler             int            // most characters
	Aliases             int            // most aliases of a function; 0 is no limit
	EventRetries        [2]int         // least and most further attempts of an asynchronous invocation
	EventRetriesDefault int            // where a function names none
	EventAge            [2]int         // least and most seconds that an event may wait
	Policy              units.Bytes    // most bytes of a resource policy's document
	Tags                int            // most tags of a function
	TagKey, TagValue    int            // most characters of each
	PageDefault         int            // entries of a list's page where the caller names no number
	PageMost            int            // most entries of a list's page
	Sources             []Source
}

// Source is where figures are written.
type Source struct {
	Figure string // the fields of [Limits]
	Where  string
	AsOf   string // when it was read, YYYY-MM-DD
}

// LambdaLimits are AWS Lambda's. It bounds the aliases
// of a function not at all, and its versions by the size of their code.
func LambdaLimits() Limits {
	const (
		api   = "https://docs.aws.amazon.com/lambda/latest/api/"
		guide = "https://docs.aws.amazon.com/lambda/latest/dg/"
	)
	return Limits{
		Storage:             [2]units.Bytes{512 * units.MB, 10240 * units.MB},
		StorageDefault:      512 * units.MB,
		Description:         256,
		Handler:             128,
		EventRetries:        [2]int{0, 2},
		EventRetriesDefault: 2,
		EventAge:            [2]int{60, 21600},
		Policy:              20 * units.KB,
		Tags:                50,
		TagKey:              128,
		TagValue:            256,
		PageDefault:         50,
		PageMost:            10000,
		Sources: []Source{
			{"Storage, StorageDefault", api + "API_EphemeralStorage.html", "2026-11-21"},
			{"Description, Handler", api + "API_CreateFunction.html", "2026-11-21"},
			{"EventRetries, EventAge", api + "API_PutFunctionEventInvokeConfig.html", "2026-11-21"},
			{"Policy", guide + "gettingstarted-limits.html", "2026-11-22"},
			{"Tags, TagKey, TagValue", guide + "configuration-tags.html", "2026-11-22"},
			{"PageDefault, PageMost", api + "API_ListFunctions.html", "2026-11-21"},
		},
	}
}
