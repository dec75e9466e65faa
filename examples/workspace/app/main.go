// A program of one module that imports another module of the workspace.
package main

import (
	"fmt"

	"rsc.io/quote"

	"example.com/workspace/greet"
)

func main() {
	fmt.Println(greet.Text("workspace"))
	fmt.Println(quote.Opt())
}
