// Package main is a program that with -cover writes which of its code has run
// to the directory $GOCOVERDIR.
package main

import (
	"fmt"

	"example.com/cover/shape"
)

func main() {
	fmt.Println("area:", shape.Area(3, 4))
}
