package sample

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends s to dst as one JSON object without a line break and
// gives the extended slice. It allocates only where dst has to grow. Bytes of
// a string that are not UTF-8 become U+FFFD; everything else reads back as it
// was. Keys are listed in the package doc.
func AppendJSON(dst []byte, s *Sample) []byte {
	dst = append(dst, '{')
	if s.Seq != 0 {
		dst = strconv.AppendUint(appendKey(dst, "seq"), s.Seq, 10)
	}
	dst = appendText(dst, "phase", s.Phase)
	dst = appendText(dst, "fn", s.Function)
	dst = appendText(dst, "for", s.Consumer)
	dst = appendText(dst, "stage", s.Stage)
	dst = appendText(dst, "via", s.Trigger)
	dst = appendTime(dst, "at", s.Intended)
	dst = appendTime(dst, "sent", s.Sent)
	dst = appendTime(dst, "first", s.FirstByte)
	dst = appendTime(dst, "done", s.Done)
	if s.Start != Unknown {
		dst = appendText(dst, "start", s.Start.String())
	}
	if s.Grade != NoGrade {
		dst = appendText(dst, "grade", s.Grade.String())
	}
	dst = appendText(dst, "inst", s.Instance)
	dst = appendTime(dst, "trig", s.Breakdown.Trigger)
	dst = appendTime(dst, "queue", s.Breakdown.Queue)
	dst = appendTime(dst, "prov", s.Breakdown.Provision)
	dst = appendTime(dst, "boot", s.Breakdown.Boot)
	dst = appendTime(dst, "init", s.Breakdown.Init)
	dst = appendTime(dst, "handler", s.Breakdown.Handler)
	dst = appendTime(dst, "billed", s.Billed)
	dst = appendText(dst, "err", s.Err.String())
	return append(dst, '}')
}

func appendKey(dst []byte, key string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, key...)
	return append(dst, '"', ':')
}

func appendTime(dst []byte, key string, d time.Duration) []byte {
	if d == 0 {
		return dst
	}
	return strconv.AppendInt(appendKey(dst, key), int64(d), 10)
}

func appendText(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(appendKey(dst, key), '"')
	plain := 0 // start of what needs no escape and is not copied yet
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(text[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = appendEscape(append(dst, text[plain:i]...), c)
		i += size
		plain = i
	}
	return append(append(dst, text[plain:]...), '"')
}

// appendEscape escapes a byte that cannot stand in a JSON string: a quote, a
// backslash, a control character, or one that is no part of a UTF-8 sequence.
func appendEscape(dst []byte, c byte) []byte {
	switch {
	case c >= utf8.RuneSelf:
		return append(dst, "\ufffd"...)
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
