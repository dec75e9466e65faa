// Package circle is about circles.
package circle

import (
	"math"

	"example.com/packages/shape"
)

type circle struct{ radius float64 }

// New returns a circle.
func New(radius float64) shape.Shape { return circle{radius} }

func (c circle) Name() string  { return "circle" }
func (c circle) Area() float64 { return math.Pi * c.radius * c.radius }
