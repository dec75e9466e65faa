// Packages imports packages of its own module, nested ones among them.
package main

import (
	"fmt"

	"example.com/packages/report"
	"example.com/packages/shape"
	"example.com/packages/shape/circle"
	"example.com/packages/shape/square"
)

func main() {
	fmt.Print(report.Table([]shape.Shape{circle.New(1), square.New(2)}))
}
