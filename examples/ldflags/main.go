// Ldflags gets its version from the linker.
package main

import "fmt"

var version = "unknown"
var note = "none"

func main() {
	fmt.Println("version:", version)
	fmt.Println("note:", note)
}
