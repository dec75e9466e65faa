// Constraints takes the files for the system and the processor by their
// names, and others by their //go:build lines.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	fmt.Println("system by file name:", system == runtime.GOOS)
	fmt.Println("processor by file name:", processor == runtime.GOARCH)
	fmt.Println("tags:", tags)
	fmt.Println("expression:", expression)
}
