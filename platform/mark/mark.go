// Package mark owns what stands on whatever a run makes on a platform that
// outlives it: whose it is, so that it can be found and taken away.
//
// In: a run's name. Out: names and a text for what it makes, and back again from
// those: which run made something, where, and whether that is still under way.
// It makes, lists and removes nothing itself.
package mark

import (
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/platform/owner"
)

// Mark says of something whose it is.
type Mark struct {
	Run  string
	Host string
	// Process is the run's: its name by package owner, or its number alone where
	// no more can be told.
	Process string
	Since   time.Time // to the second
}

const (
	namePrefix  = "coldcurve-"
	description = "coldcurve run=%s host=%s process=%s since=%s; coldcurve cleanup removes it"
	runLetters  = 8
)

var runPattern = regexp.MustCompile(`^[a-z0-9]{1,16}$`)

// CheckRun says what is wrong with the name of a run, nil for nothing.
func CheckRun(run string) error {
	if !runPattern.MatchString(run) {
		return fmt.Errorf("run %q: write up to 16 letters a-z and digits", run)
	}
	return nil
}

// Draw is a name for a run.
func Draw() string { return strings.ToLower(rand.Text()[:runLetters]) }

// Own marks what this process makes.
func Own(run string) Mark {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	process := strconv.Itoa(os.Getpid())
	if self, err := owner.Self(); err == nil {
		process = self.String()
	}
	return Mark{Run: run, Host: host, Process: process, Since: time.Now().UTC().Truncate(time.Second)}
}

// Name is what a function is called on a platform whose names have so many
// characters at most. One that would be too long ends in a digest of the whole.
func (m Mark) Name(function string, most int) string {
	name := namePrefix + m.Run + "-" + function
	if len(name) <= most {
		return name
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(function))
	digest := fmt.Sprintf("-%08x", sum.Sum32())
	return name[:most-len(digest)] + digest
}

// Text is the mark for people and for [Read].
func (m Mark) Text() string {
	return fmt.Sprintf(description, m.Run, m.Host, m.Process, m.Since.Format(time.RFC3339))
}

var pattern = regexp.MustCompile(`^coldcurve run=(\S+) host=(\S+) process=([0-9]+(?:-[0-9]+-[0-9]+)?) since=(\S+); coldcurve cleanup removes it$`)

// Read is the mark of something, if it has one: name and text have to agree, so
// that nobody's function is taken for ours because of its name.
func Read(name, text string) (Mark, bool) {
	m, ok := Parse(text)
	return m, ok && strings.HasPrefix(name, namePrefix+m.Run+"-")
}

// Parse is the mark that a text is, if it is one.
func Parse(text string) (Mark, bool) {
	parts := pattern.FindStringSubmatch(text)
	if parts == nil {
		return Mark{}, false
	}
	since, err := time.Parse(time.RFC3339, parts[4])
	return Mark{Run: parts[1], Host: parts[2], Process: parts[3], Since: since}, err == nil
}

// Leftover is something that a run has made and not removed.
type Leftover struct {
	Name  string // on the platform
	On    string // what was there before the run and has it; "" where the run has made something of its own
	Run   string
	Host  string // where the run was
	Since time.Time
	// Mine says that the run was on this machine, among the processes that can be
	// seen from here. Alive says that its process lives, so that it may still need
	// what it has made.
	Mine, Alive bool
}

// Leftover is something of that name as a process on m's machine sees it.
func (m Mark) Leftover(name string, own Mark) Leftover {
	l := Leftover{Name: name, Run: m.Run, Host: m.Host, Since: m.Since}
	if m.Host != own.Host {
		return l
	}
	self, known := owner.Parse(own.Process)
	if whose, named := owner.Parse(m.Process); named && known {
		l.Mine = self.Sees(whose) // else it was in another container of that name
		l.Alive = l.Mine && !self.Gone(whose)
		return l
	}
	pid, err := strconv.Atoi(m.Process)
	l.Mine, l.Alive = true, err != nil || isRunning(pid)
	return l
}

// Title is a leftover's name without what all of them begin with.
func (l Leftover) Title() string { return strings.TrimPrefix(l.Name, namePrefix) }

// isRunning says whether there is a process of that number. Where that cannot
// be told, there is.
func isRunning(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer process.Release()
	return signalled(process)
}
