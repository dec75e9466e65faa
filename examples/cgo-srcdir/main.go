// Cgo-srcdir links with a library that lies beside its source: a linker script
// that stands for the C library's mathematics.
package main

// #cgo CFLAGS: -I${SRCDIR}/include
// #cgo LDFLAGS: -L ./lib -lshapes
// #include <math.h>
// #include "shapes.h"
import "C"

import "fmt"

func main() {
	fmt.Printf("sides: %d\n", C.SIDES)
	fmt.Printf("cube root: %.1f\n", float64(C.cbrt(C.double(27))))
}
