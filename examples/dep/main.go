// Dep calls third-party modules, one of which needs further ones.
package main

import (
	"fmt"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"rsc.io/quote"
)

func main() {
	fmt.Println(quote.Go())
	fmt.Println(cases.Title(language.Dutch).String("ijsland"))
}
