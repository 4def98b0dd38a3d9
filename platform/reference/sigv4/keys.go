package sigv4

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Keys are access keys, their secrets and their owners.
type Keys struct {
	byID     map[string]key
	stranger key // what an access key that is not known is checked against
}

type key struct {
	owner  string
	secret string
}

func (k *Keys) find(id string) (key, bool) {
	found, known := k.byID[id]
	if !known {
		return k.stranger, false
	}
	return found, true
}

// Len is how many keys there are.
func (k *Keys) Len() int { return len(k.byID) }

// The bounds of a keys file. AWS's own access key IDs have 20 characters and
// its secrets 40; a secret below 32 could be found from one signed request.
const (
	mostKeysFile = 1 << 20
	leastSecret  = 32
)

var (
	ownerPattern  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	idPattern     = regexp.MustCompile(`^[A-Za-z0-9_]{16,128}$`)
	secretPattern = regexp.MustCompile(`^[!-~]{1,256}$`)
)

// ReadKeys reads a keys file, which has the form of AWS's shared credentials
// file, so that a client can use the same one:
//
//	# a comment
//	[team-a]
//	aws_access_key_id     = COLDCURVETEAMA00
//	aws_secret_access_key = (at least 32 characters: openssl rand -base64 30)
//
// A section's name is its key's owner. Each section has these two settings and
// no other; an owner may have further keys under another name only. The file
// must belong to this process's user or to root, and nobody else may read or
// write it: its mode is 0600 or less. It is read once: keys are added, changed
// or withdrawn by starting anew.
func ReadKeys(path string) (*Keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	defer f.Close()
	if err := private(f); err != nil {
		return nil, fmt.Errorf("keys: %s: %w", path, err)
	}
	return ParseKeys(path, f)
}

// ParseKeys reads what a keys file holds; name is for its faults, of which the
// first is told.
func ParseKeys(name string, r io.Reader) (*Keys, error) {
	p := keysParser{keys: &Keys{byID: make(map[string]key), stranger: key{secret: rand.Text()}}, owners: make(map[string]bool)}
	limited := &io.LimitedReader{R: r, N: mostKeysFile + 1}
	lines := bufio.NewScanner(limited)
	for lines.Scan() {
		p.line++
		if err := p.read(lines.Text()); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
		}
	}
	err := lines.Err()
	if err == nil {
		err = p.endSection()
	}
	switch {
	case limited.N == 0:
		err = fmt.Errorf("longer than %d bytes", mostKeysFile)
	case err == nil && p.keys.Len() == 0:
		err = errors.New("no keys: write [NAME], aws_access_key_id = ID and aws_secret_access_key = SECRET")
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, max(1, p.line), err)
	}
	return p.keys, nil
}

type keysParser struct {
	keys       *Keys
	owners     map[string]bool
	line       int
	owner      string // of the section; "" before the first
	id, secret string // so far
}

func (p *keysParser) read(line string) error {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' || line[0] == ';' {
		return nil
	}
	if line[0] == '[' {
		return p.beginSection(line)
	}
	name, value, ok := strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case !ok:
		return errors.New("neither [NAME] nor SETTING = VALUE") // the line may hold a secret
	case p.owner == "":
		return errors.New("a setting before the first [NAME]")
	case name == "aws_access_key_id" && p.id == "":
		if !idPattern.MatchString(value) {
			return errors.New("aws_access_key_id is not 16 to 128 letters, digits and _")
		}
		p.id = value
	case name == "aws_secret_access_key" && p.secret == "":
		if !secretPattern.MatchString(value) || len(value) < leastSecret {
			return fmt.Errorf("aws_secret_access_key is not %d to 256 printable characters without spaces: make one with openssl rand -base64 30", leastSecret)
		}
		p.secret = value
	case name == "aws_access_key_id" || name == "aws_secret_access_key":
		return fmt.Errorf("%s is given twice in [%s]", name, p.owner)
	default:
		return errors.New("a setting that is not aws_access_key_id or aws_secret_access_key")
	}
	return nil
}

func (p *keysParser) beginSection(line string) error {
	if err := p.endSection(); err != nil {
		return err
	}
	owner, ok := strings.CutSuffix(line[1:], "]")
	if owner = strings.TrimSpace(owner); !ok || !ownerPattern.MatchString(owner) {
		return errors.New("a section is [NAME], with 1 to 64 letters, digits, _, . and -")
	}
	if p.owners[owner] {
		return fmt.Errorf("[%s] is there twice", owner)
	}
	p.owner, p.owners[owner] = owner, true
	return nil
}

func (p *keysParser) endSection() error {
	if p.owner == "" {
		return nil
	}
	if p.id == "" || p.secret == "" {
		return fmt.Errorf("[%s] ends without both aws_access_key_id and aws_secret_access_key", p.owner)
	}
	if other, there := p.keys.byID[p.id]; there {
		return fmt.Errorf("[%s] has the aws_access_key_id of [%s]", p.owner, other.owner)
	}
	p.keys.byID[p.id] = key{owner: p.owner, secret: p.secret}
	p.id, p.secret = "", ""
	return nil
}
