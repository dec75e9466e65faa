// A program that needs no other module.
package main

import (
	"fmt"

	"example.com/workspace/greet"
)

func main() { fmt.Println(greet.Text("nobody else")) }
