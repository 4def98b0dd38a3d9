package code

import "github.com/coldcurve/coldcurve/analysis/units"

// Limits bound what is taken into a [Store].
type Limits struct {
	Zip      units.Bytes // most bytes of an archive
	Unzipped units.Bytes // most bytes of all files of one package together
	Total    units.Bytes // most bytes of all packages, as they were sent
	Files    int         // most files, folders and links of one package
	Depth    int         // most folders in each other
	Sources  []Source
}

// Source is where figures are written.
type Source struct {
	Figure string // the fields of [Limits]
	Where  string
	AsOf   string // when it was read, YYYY-MM-DD
}

// Lambda gives the limits of AWS Lambda. Files and Depth are coldcurve's own:
// Lambda's guide names none, and an archive of 50 MB can hold a million empty files.
func Lambda() Limits {
	const quotas = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
	return Limits{
		Zip:      50 * units.MB,
		Unzipped: 250 * units.MB,
		Total:    75 * units.GB,
		Files:    65_535,
		Depth:    64,
		Sources: []Source{
			{"Zip", quotas + ": 50 MB (zipped, when uploaded through the Lambda API or SDKs)", "2026-11-21"},
			{"Unzipped", quotas + ": 250 MB, the maximum size of the contents of a deployment package", "2026-11-21"},
			{"Total", quotas + ": 75 GB of uploaded functions and layers", "2026-11-21"},
			{"Files", "the entries that an archive without the ZIP64 extension can count", "2026-11-21"},
			{"Depth", "several times the depth of the deepest node_modules seen", "2026-11-21"},
		},
	}
}
