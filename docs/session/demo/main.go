// Shop prints a bill.
package main

import (
	"fmt"

	"example.com/shop/cart"
	"example.com/shop/mail"
)

func main() {
	fmt.Println(mail.Bill(cart.Cart{"tea": 350, "cup": 1299}, 490))
}
