// The module is below the source's root, and another one beside it.
package main

import (
	"fmt"

	"rsc.io/quote"

	"example.com/modroot/shared/text"
)

func main() {
	fmt.Println(text.Title("a module beside it"))
	fmt.Println(quote.Go())
}
