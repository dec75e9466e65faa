// Go's own linker makes this program, which needs the C library.
package main

import (
	"fmt"
	"os/user"
)

func main() {
	_, err := user.Lookup("root")
	fmt.Println(err)
}
