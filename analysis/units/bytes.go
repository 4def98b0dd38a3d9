package units

import (
	"strconv"
	"strings"
)

// The binary multiples.
const (
	KB Bytes = 1 << 10
	MB Bytes = 1 << 20
	GB Bytes = 1 << 30
	TB Bytes = 1 << 40
)

// ParseBytes reads a size: "512MB" (512 << 20), "1KiB", "1.5GB", "64B" and "0".
// A fraction of a byte is rounded, and refused where that leaves 0.
func ParseBytes(text string) (Bytes, error) {
	if text == "0" {
		return 0, nil
	}
	number, rest := splitNumber(text)
	if number == "" {
		return 0, bytesError(text, notANumber(text), "write 512MB, 1.5GB or 64B")
	}
	name := strings.TrimPrefix(rest, " ")
	unit := bytesUnit(name)
	if unit == 0 {
		problem, instead := badBytesUnit(number, name)
		return 0, bytesError(text, problem, instead)
	}
	n, how := scale(number, int64(unit))
	switch how {
	case tooLarge:
		return 0, bytesError(text, "is too large", "write less than 8388608TB")
	case tooSmall:
		return 0, bytesError(text, "is less than a byte", "write 0 or at least 1B")
	}
	return Bytes(n), nil
}

func bytesError(text, problem, instead string) error {
	return &Error{Quantity: "size", Text: text, Problem: problem, Instead: instead}
}

// bytesUnit is 0 for a name that is not a unit.
func bytesUnit(name string) Bytes {
	switch name {
	case "B":
		return 1
	case "KB", "KiB":
		return KB
	case "MB", "MiB":
		return MB
	case "GB", "GiB":
		return GB
	case "TB", "TiB":
		return TB
	}
	return 0
}

func badBytesUnit(number, name string) (problem, instead string) {
	if name == "" {
		return "a size needs its unit", "write " + number + "MB or " + number + "B"
	}
	problem = strconv.Quote(name) + " is not a unit of size"
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "b", "byte", "bytes":
		return problem, "write " + number + "B"
	case "k", "kb", "ki", "kib":
		return problem, "write " + number + "KB"
	case "m", "mb", "mi", "mib":
		return problem, "write " + number + "MB"
	case "g", "gb", "gi", "gib":
		return problem, "write " + number + "GB"
	case "t", "tb", "ti", "tib":
		return problem, "write " + number + "TB"
	}
	return problem, "write one of B, KB, MB, GB, TB"
}

// FormatBytes writes a size for reading: in the largest unit in which it is a
// whole number of at most four digits ("1769 MB", "10 GB"), else with three
// significant digits ("12.1 KB").
func FormatBytes(b Bytes) string {
	if b < 0 {
		return "-" + formatBytes(-uint64(b))
	}
	return formatBytes(uint64(b))
}

func formatBytes(n uint64) string {
	names := [...]string{"B", "KB", "MB", "GB", "TB"}
	for i := len(names) - 1; i >= 0; i-- {
		unit := uint64(1) << (10 * i)
		if n%unit == 0 && n/unit < 10_000 && (n > 0 || i == 0) {
			return strconv.FormatUint(n/unit, 10) + " " + names[i]
		}
	}
	v, i := float64(n), 0
	for v >= 1023.5 && i < len(names)-1 { // what rounds to 1024 belongs to the next unit
		v /= 1024
		i++
	}
	return significant(v) + " " + names[i]
}
