package main

import (
	"fmt"

	"example.com/subpackage/name"
)

func main() { fmt.Println(name.Of("a")) }
