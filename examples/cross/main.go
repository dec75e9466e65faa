// Cross says what it was built for.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Printf("built for %s/%s\n", runtime.GOOS, runtime.GOARCH)
	fmt.Printf("path separator: %c\n", os.PathSeparator)
}
