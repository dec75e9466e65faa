// Package mail writes to customers.
package mail

import (
	"example.com/shop/cart"
	"example.com/shop/price"
)

// Bill returns the text of a bill.
func Bill(c cart.Cart, shipping int) string {
	return "In your cart: " + c.Total() + ", shipping: " + price.Text(shipping)
}
