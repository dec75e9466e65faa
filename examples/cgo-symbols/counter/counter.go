// Package counter counts in a C variable.
package counter

// #include "counter.h"
import "C"

// Add adds n to the count.
func Add(n int) { C.shared_count += C.int(n) }
