// Cgo-symbols has two packages with C in them, one of which needs a C symbol
// that only the other defines: the program has to be linked by the C linker.
package main

import (
	"fmt"

	"example.com/cgo-symbols/counter"
	"example.com/cgo-symbols/report"
)

func main() {
	counter.Add(40)
	counter.Add(2)
	fmt.Println("counted across packages:", report.Count())
}
