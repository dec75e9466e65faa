// All that the module needs is in the source: nothing is fetched.
package main

import (
	"fmt"

	"example.com/modroot/shared/text"
)

func main() { fmt.Println(text.Title("nothing is fetched")) }
