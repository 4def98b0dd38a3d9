package reference

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Bounds of what is told of a failure, in bytes: enough for a sentence each.
const (
	messageLimit = 260
	wordsLimit   = 200
	wordsLines   = 3
)

// functionError is a function's error document as an error, with the last
// lines that it has printed: often only they name what is missing.
func functionError(body, lastWords []byte) error {
	var doc struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	text := "the function failed: "
	if err := json.Unmarshal(body, &doc); err != nil || doc.Type+doc.Message == "" {
		text += fmt.Sprintf("%.200q", body)
	} else {
		text += clip(doc.Type+": "+doc.Message, messageLimit)
	}
	if words := lastLines(lastWords); words != "" && !strings.Contains(text, words) {
		text += "; its log ends: " + words
	}
	return errors.New(text)
}

// lastLines are the last lines with something in them, on one.
func lastLines(log []byte) string {
	var lines []string
	for line := range strings.Lines(string(log)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines[max(0, len(lines)-wordsLines):], " | ")
	if over := len(text) - wordsLimit; over > 0 {
		text = "..." + strings.ToValidUTF8(text[over:], "")
	}
	return text
}

// clip is the beginning of a text that is too long.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}
