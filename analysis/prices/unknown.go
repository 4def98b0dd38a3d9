package prices

import (
	"fmt"
	"strings"
)

// Unknown is a lookup of something that the book does not price. Nothing is
// ever 0 for want of a price.
type Unknown struct {
	What  string   // "product", "region", "dimension", "type", "fact"
	Name  string   // as asked for
	Where string   // "aws/lambda in us-east-1"; "" for the whole book
	Near  []string // what was probably meant, the nearest first
	Have  []string // what there is instead; may be long
	// Instead is what to do where nothing else is meant; "" for nothing.
	Instead string
}

// Error names what is not priced and what was probably meant.
func (u *Unknown) Error() string {
	text := fmt.Sprintf("no %s %q", u.What, u.Name)
	if u.Where != "" {
		text += " for " + u.Where
	}
	text += " in the price book"
	const most = 12
	switch {
	case u.Instead != "":
		return text + ": " + u.Instead
	case len(u.Near) > 0:
		return text + ": did you mean " + strings.Join(u.Near, ", ") + "?"
	case len(u.Have) > most:
		return fmt.Sprintf("%s: there are %s and %d more", text, strings.Join(u.Have[:most], ", "), len(u.Have)-most)
	case len(u.Have) > 0:
		return text + ": there are " + strings.Join(u.Have, ", ")
	}
	return text
}
