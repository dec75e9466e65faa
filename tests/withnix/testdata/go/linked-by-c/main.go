// The linker of the C toolchain makes this program.
package main

// #cgo pkg-config: zlib
// #include <zlib.h>
import "C"

import "fmt"

func main() {
	fmt.Println(C.crc32(0, nil, 0))
}
