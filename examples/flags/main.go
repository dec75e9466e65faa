// Command flags prints what flags of go build have put in the place of files.
package main

import (
	"fmt"
	"strings"

	"example.com/flags/shown"
	"example.com/near"
)

var linked string

func main() {
	fmt.Println("text:", strings.TrimSpace(shown.Text))
	fmt.Println("version:", shown.Version)
	fmt.Println("module:", near.Name)
	fmt.Println("linked:", linked)
}
