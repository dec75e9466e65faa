// Asm adds numbers in Go assembly, or in Go where there is no assembly for
// the processor.
package main

import "fmt"

func main() {
	fmt.Println("sum:", Sum([]int64{1, 2, 3, 4}))
	p := Pair{First: 20, Second: 22}
	fmt.Println("pair:", AddPair(&p))
}

// Pair shows that assembly learns the offsets of fields from go_asm.h.
type Pair struct {
	First  int64
	Second int64
}
