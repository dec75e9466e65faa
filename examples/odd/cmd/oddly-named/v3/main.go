// The program is named oddly-named: the element before a version.
package main

import (
	"fmt"

	"example.com/odd/linked"
	"example.com/odd/names"
	"example.com/odd/shared"
)

func main() {
	fmt.Println("linked file:", linked.Name)
	fmt.Println("linked directory:", names.Name)
	fmt.Print(shared.List())
}
