// Zlib calls a C library that pkg-config finds.
package main

// #cgo pkg-config: zlib
// #include <stdlib.h>
// #include <string.h>
// #include <zlib.h>
//
// static unsigned long checksum(char *s) {
// 	char copy[64];
// 	strcpy(copy, s); // what hardening looks at
// 	return crc32(0, (unsigned char *)copy, strlen(copy));
// }
import "C"

import "unsafe"

func main() {
	s := C.CString("checked")
	defer C.free(unsafe.Pointer(s))
	println(C.checksum(s))
}
