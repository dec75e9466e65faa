// Package engine is made of C and C++, which calls Go back.
package engine

// #cgo CPPFLAGS: -I${SRCDIR}/../include
// #cgo CXXFLAGS: -std=c++17
// #cgo LDFLAGS: -lm
// #include "engine.h"
import "C"

// Twice is done in C++.
func Twice(n int) int { return int(C.twice(C.int(n))) }

// Name is what C finds in a file of the sources.
func Name() string { return C.GoString(C.engine_name()) }

// Call lets C++ call Go.
func Call(n int) int { return int(C.call(C.int(n))) }

//export goIncrement
func goIncrement(n C.int) C.int { return n + increment }
