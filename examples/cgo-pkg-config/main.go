// Cgo-pkg-config compresses and expands a text with the C library zlib, which
// pkg-config finds.
package main

// #cgo pkg-config: zlib
// #include <zlib.h>
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

func pointer(b []byte) *C.Bytef { return (*C.Bytef)(unsafe.Pointer(&b[0])) }

func main() {
	text := []byte(strings.Repeat("zlib ", 100))
	fmt.Printf("crc32: %08x\n", C.crc32(0, pointer(text), C.uInt(len(text))))

	packed := make([]byte, C.compressBound(C.uLong(len(text))))
	size := C.uLongf(len(packed))
	fmt.Println("compress:", C.compress(pointer(packed), &size, pointer(text), C.uLong(len(text))) == C.Z_OK)
	fmt.Println("smaller:", int(size) < len(text))

	expanded := make([]byte, len(text))
	length := C.uLongf(len(expanded))
	fmt.Println("expand:", C.uncompress(pointer(expanded), &length, pointer(packed), C.uLong(size)) == C.Z_OK)
	fmt.Println("same:", string(expanded) == string(text))
}
