package sample

// The ways by which a request reaches a function other than by a direct
// invocation, which is "".
const (
	URL      = "url"      // HTTP request to the function's own URL
	Async    = "async"    // event that is accepted first and handled later
	Schedule = "schedule" // rate or cron expression that is due
	Folder   = "folder"   // file that appears in a watched folder
)

// Triggers are the names above.
func Triggers() []string { return []string{URL, Async, Schedule, Folder} }
