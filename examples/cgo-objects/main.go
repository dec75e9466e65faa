// Cgo-objects has a package with several C and C++ files: each is compiled on its own, at once, and only where it or what
// it reads has changed.
package main

import (
	"fmt"

	"example.com/cgo-objects/engine"
)

func main() {
	fmt.Println("twice:", engine.Twice(21))
	fmt.Println("named:", engine.Name())
	fmt.Println("called back:", engine.Call(20))
}
