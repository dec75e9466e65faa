// Zlib calls a C library that the compiler's flags find.
package main

// #include <zlib.h>
//
// #ifndef EXTRA
// #define EXTRA 0
// #endif
//
// static unsigned long checksum(void) { return crc32(EXTRA, (unsigned char *)"checked", 7); }
import "C"

func main() { println(C.checksum()) }
