// Package cart holds what is to be paid for.
package cart

import "example.com/shop/price"

// Cart maps articles to what they cost, in cents.
type Cart map[string]int

// Total returns the sum as it is shown.
func (c Cart) Total() string {
	sum := 0
	for _, cents := range c {
		sum += cents
	}
	return price.Text(sum)
}
