package prices

import (
	"bufio"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestEveryListPriceIsInTheBook holds the book to figures that were collected
// apart from it. There a tier begins where what is free ends; here what is
// free is taken off first.
func TestEveryListPriceIsInTheBook(t *testing.T) {
	file, err := os.Open("testdata/catalogue.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b, rows := Open(), 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		rows++
		c := strings.Split(lines.Text(), ",")
		if c[1] == "free" {
			checkAllowance(t, b, c)
		} else {
			checkTier(t, b, c)
		}
	}
	if rows != 140 {
		t.Errorf("%d figures, want 140", rows)
	}
}

func checkAllowance(t *testing.T, b *Book, c []string) {
	p, err := b.Product(c[0])
	if err != nil {
		t.Error(err)
		return
	}
	for _, a := range p.Free {
		if a.Name == c[2] {
			if a.Quantity.String() != c[6] {
				t.Errorf("%s: %s are free, want %s", c, a.Quantity, c[6])
			}
			return
		}
	}
	t.Errorf("%s: no such allowance", c)
}

func checkTier(t *testing.T, b *Book, c []string) {
	p, err := b.Lookup(c[0], c[1], c[2], 0)
	if err != nil {
		t.Error(err)
		return
	}
	free := new(big.Rat)
	if p.Free != nil {
		free = p.Free.Quantity.Rat()
	}
	want := func(text string) *big.Rat {
		d, err := ParseDecimal(text)
		if err != nil {
			t.Fatal(err)
		}
		return d.Rat()
	}
	from := want(c[5])
	// Lambda's and streaming's tiers are stated without what is free.
	if from.Sign() > 0 && !strings.HasPrefix(c[0], "aws/lambda") {
		from.Sub(from, free)
	}
	for _, tier := range p.Tiers {
		if tier.From.Rat().Cmp(from) != 0 {
			continue
		}
		if tier.USD.Rat().Cmp(want(c[4])) != 0 || strconv.FormatInt(p.Per, 10) != c[3] {
			t.Errorf("%s: the book has %s", c, p.UnitPrice(tier))
		}
		if c[6] == "" != tier.To.IsZero() {
			t.Errorf("%s: the book's tier is %s", c, tier.Range())
		}
		return
	}
	t.Errorf("%s: the book has no tier from %s", c, from.RatString())
}
