// Package price is imported by all others.
package price

import "fmt"

// Text returns a price in cents as it is shown.
//
//go:noinline
func Text(cents int) string {
	return fmt.Sprintf("%d.%02d USD", cents/100, cents%100)
}
