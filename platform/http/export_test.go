package http

// Aged is a secret with a text that FindSecret would refuse by now.
func Aged(s Secret, text string) Secret {
	s.text = text
	return s
}
