// Package report reads the count that package counter keeps.
package report

// extern int shared_count;
// static int read_count(void) { return shared_count; }
import "C"

import _ "example.com/cgo-symbols/counter" // defines shared_count

// Count returns the count.
func Count() int { return int(C.read_count()) }
