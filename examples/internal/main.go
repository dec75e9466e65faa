// Internal imports an internal package, and a package that has one of its own.
package main

import (
	"fmt"

	"example.com/internal/internal/secret"
	"example.com/internal/public"
)

func main() {
	fmt.Println("secret:", secret.Number)
	fmt.Println("public:", public.Describe())
}
