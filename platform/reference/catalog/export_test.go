package catalog

import "encoding/json"

// FailSaves has every later save and removal ask fault at each of its steps;
// what it gives ends it there, with what is on the disk left as it is.
func (c *Catalog) FailSaves(fault func(step string) error) { c.documents.fault = fault }

// RewriteDocument reads a function's document and writes it again.
func RewriteDocument(text []byte) ([]byte, error) {
	r, err := parseRecord(text)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}
