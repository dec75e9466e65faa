// Cgo-cxx sorts words with the C++ standard library.
package main

// #cgo CXXFLAGS: -std=c++17
// #include <stdlib.h>
// #include "words.h"
import "C"

import (
	"fmt"
	"unsafe"
)

func main() {
	text := C.CString("pear apple fig")
	defer C.free(unsafe.Pointer(text))
	sorted := C.sort_words(text)
	defer C.free(unsafe.Pointer(sorted))
	fmt.Println("sorted by C++:", C.GoString(sorted))
}
