// Generics instantiates generic functions and types of another package with
// types of its own, so that their code is compiled here.
package main

import (
	"fmt"
	"strings"

	"example.com/generics/list"
)

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

func main() {
	temperatures := list.Of[celsius](21.5, 18, 24.5)
	fmt.Println("max:", list.Max(temperatures))
	fmt.Println("map:", list.Map(temperatures, celsius.String).Slice())
	for i, word := range list.Of("one", "two").All() {
		fmt.Println("iterator:", i, strings.ToUpper(word))
	}
}
