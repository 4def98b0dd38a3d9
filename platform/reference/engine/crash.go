package engine

import (
	"path"
	"slices"
	"strings"
)

const (
	// lastWords bounds Outcome.LastWords, in bytes.
	lastWords = 1 << 10
	// crashFrames is how many frames are told of a Go crash.
	crashFrames = 2
	// crashMessage and crashFrame bound what is told of its message and of each
	// frame, in bytes: so much fits into an error.
	crashMessage, crashFrame = 100, 45
)

// lastWordsOf is what of a failed function's log its error can tell: the end, but of
// a Go crash the message and where it was. Such a log ends with the frames of
// whichever goroutine comes last, or with registers.
func lastWordsOf(log []byte) []byte {
	if told := crashIn(string(log)); told != "" {
		return []byte(told)
	}
	return log[max(0, len(log)-lastWords):]
}

// crashIn gives the message of the crash that a log ends with and the first
// frames outside of Go's runtime, a line each; "" where it ends otherwise. Where
// the log begins after the message, there are frames alone.
func crashIn(log string) string {
	lines := strings.Split(strings.TrimRight(log, "\n"), "\n")
	at := slices.IndexFunc(lines, isGoroutine)
	if last := lines[len(lines)-1]; at < 0 || !isPosition(last) && !isRegister(last) {
		return ""
	}
	var told []string
	for i, line := range lines {
		if isMessage(line) {
			at, told = i, []string{clip(line, crashMessage)}
		}
	}
	most := len(told) + crashFrames
	for ; at+1 < len(lines) && len(told) < most; at++ {
		name := lines[at][:max(0, strings.LastIndexByte(lines[at], '('))]
		if name != "" && isPosition(lines[at+1]) && name != "panic" && !strings.HasPrefix(name, "runtime.") {
			told = append(told, clip(path.Base(name)+" "+position(lines[at+1]), crashFrame))
		}
	}
	return strings.Join(told, "\n")
}

// clip is the beginning of a text that is too long.
func clip(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

func isMessage(line string) bool {
	signal, _, _ := strings.Cut(line, ": ")
	return signal == "panic" || signal == "fatal error" || strings.HasPrefix(signal, "SIG") && strings.ToUpper(signal) == signal
}

func isGoroutine(line string) bool {
	return strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:")
}

// isPosition says whether the line is a frame's second: where the code stands.
func isPosition(line string) bool {
	return strings.HasPrefix(line, "\t") && strings.Contains(line, ".go:")
}

// position is the line's file, without its folders, and the number.
func position(line string) string {
	where, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return path.Base(where)
}

func isRegister(line string) bool {
	fields := strings.Fields(line)
	return len(fields) == 2 && strings.HasPrefix(fields[1], "0x")
}
