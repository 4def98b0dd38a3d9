package reference

import (
	"strings"
	"testing"
)

func TestFunctionErrorTellsTheCause(t *testing.T) {
	tests := []struct{ body, log, want string }{
		{`{"errorType":"Runtime.ImportModuleError","errorMessage":"No module named 'pillow'"}`, "",
			"the function failed: Runtime.ImportModuleError: No module named 'pillow'"},
		{`{"errorType":"Runtime.ExitError","errorMessage":"Error: exit status 1"}`, "start\n\nTraceback\n  File x\nKeyError: 'shop'\n",
			"the function failed: Runtime.ExitError: Error: exit status 1; its log ends: Traceback | File x | KeyError: 'shop'"},
		{`{"errorType":"E","errorMessage":"no stock"}`, "no stock\n", "the function failed: E: no stock"},
		{`oops`, "", `the function failed: "oops"`},
	}
	for _, tt := range tests {
		if got := functionError([]byte(tt.body), []byte(tt.log)).Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	long := functionError([]byte(`{"errorType":"E","errorMessage":"`+strings.Repeat("ä", 4000)+`"}`), []byte(strings.Repeat("ö", 2000))).Error()
	if len(long) > 520 || strings.ContainsRune(long, '\uFFFD') {
		t.Errorf("%d bytes: %s", len(long), long)
	}
}
