// Cgo calls C from a preamble, from a C file beside it and from libm, and C
// calls back into Go.
package main

// #cgo CFLAGS: -DSCALE=10
// #cgo LDFLAGS: -lm
// #include <math.h>
// #include "sum.h"
//
// static int scaled(int n) { return n * SCALE; }
import "C"

import "fmt"

//export square
func square(n C.int) C.int { return n * n }

func main() {
	fmt.Println("preamble:", C.scaled(7))
	fmt.Println("C file:", C.sum_of_squares(3))
	fmt.Printf("libm: %.3f\n", C.cbrt(2))
	_, err := C.sqrt(-1)
	fmt.Println("errno:", err)
}
