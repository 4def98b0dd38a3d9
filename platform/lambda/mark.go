package lambda

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// mark says on everything that is made whose it is. A function has it three
// times: its name is found by, its description is listed beside the name, and
// its tags are what an account's own tools sort by.
type mark struct {
	run     string
	host    string
	process int
	since   time.Time // to the second
}

const (
	namePrefix  = "coldcurve-"
	description = "coldcurve run=%s host=%s process=%d since=%s; coldcurve cleanup removes it"
)

// name is a function's on Lambda. One that would be too long ends in a digest
// of the whole.
func (m mark) name(function string) string {
	name := namePrefix + m.run + "-" + function
	most := LambdaLimits().Name
	if len(name) <= most {
		return name
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(function))
	digest := fmt.Sprintf("-%08x", sum.Sum32())
	return name[:most-len(digest)] + digest
}

func (m mark) description() string {
	return fmt.Sprintf(description, m.run, m.host, m.process, m.since.Format(time.RFC3339))
}

func (m mark) tags() map[string]string {
	return map[string]string{
		"coldcurve:run": m.run, "coldcurve:host": m.host, "coldcurve:process": strconv.Itoa(m.process),
		"coldcurve:since": m.since.Format(time.RFC3339),
	}
}

var markPattern = regexp.MustCompile(`^coldcurve run=(\S+) host=(\S+) process=([0-9]+) since=(\S+); coldcurve cleanup removes it$`)

// readMark is the mark of a function, if it has one: name and description have
// to agree, so that nobody's function is taken for ours because of its name.
func readMark(name, text string) (mark, bool) {
	parts := markPattern.FindStringSubmatch(text)
	if parts == nil || !strings.HasPrefix(name, namePrefix+parts[1]+"-") {
		return mark{}, false
	}
	process, err := strconv.Atoi(parts[3])
	since, errSince := time.Parse(time.RFC3339, parts[4])
	return mark{run: parts[1], host: parts[2], process: process, since: since}, err == nil && errSince == nil
}
