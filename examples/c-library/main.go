// Package main is a library for C: with -buildmode=c-shared or c-archive it has
// no program, but functions that C calls, and a header that declares them.
package main

// typedef int (*change)(int);
//
// static int call(change f, int n) { return f(n); }
import "C"

import (
	"fmt"
	"unsafe"
)

//export Greeting
func Greeting(name *C.char) *C.char {
	return C.CString(fmt.Sprintf("hello, %s", C.GoString(name)))
}

//export Apply
func Apply(f unsafe.Pointer, n C.int) C.int {
	return C.call(C.change(f), n) + 1
}

func main() {}
