// A program of a third module.
package main

import (
	"fmt"

	"example.com/workspace/greet"
)

func main() { fmt.Println(len(greet.Text("count"))) }
